/** User agents as they are sent, each with the family that it should have. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const userAgents: readonly (readonly [family: string, agent: string])[] = readFileSync(
  join(import.meta.dirname, '../fixtures/user-agents.tsv'),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => line.split('\t') as [string, string]); // as the file has them
