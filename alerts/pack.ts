/** The rules that come with the product: those over stored events, and those that are judged at intake. */
import { join } from 'node:path';

export const firstPartyRules = join(import.meta.dirname, 'rules');
