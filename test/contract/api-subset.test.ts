import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, print, type DefinitionNode } from 'graphql/index.js';
import { expect, test } from 'vitest';

const read = (file: string) => parse(readFileSync(join(import.meta.dirname, '../../schemas', file), 'utf8')).definitions;
const nameOf = (node: DefinitionNode) => ('name' in node && node.name ? node.name.value : '');
/** Every field, argument and value of a definition, as text without its description. */
const parts = (node: any): string[] => [...(node.fields ?? []), ...(node.values ?? [])].map((part: any) => part.name.value); // oxlint-disable-line typescript/no-explicit-any
const signature = (node: any, part: string) => {
  // oxlint-disable-line typescript/no-explicit-any
  const found = [...(node.fields ?? []), ...(node.values ?? [])].find((one: any) => one.name.value === part); // oxlint-disable-line typescript/no-explicit-any
  return (
    found && {
      type: found.type ? print(found.type) : '',
      args: Object.fromEntries((found.arguments ?? []).map((arg: any) => [arg.name.value, print({ ...arg, description: undefined })])),
    }
  ); // oxlint-disable-line typescript/no-explicit-any
};
const absent: Readonly<Record<string, readonly string[]>> = { AuditEventFilter: ['attributes', 'rule', 'alert'], SortOrder: ['ARRIVAL'] };

test('the served schema is the contract, type by type, without what is not served yet', () => {
  const contract = new Map(read('contract/api.graphql').map((node) => [nameOf(node), node]));
  for (const node of read('api.graphql')) {
    const name = nameOf(node);
    const whole = contract.get(name);
    expect(whole, name).toBeDefined();
    const isRoot = name === 'Query' || name === 'Mutation';
    if (!isRoot) expect(parts(node), name).toEqual(parts(whole).filter((part) => !absent[name]?.includes(part)));
    for (const part of parts(node)) {
      const [served, agreed] = [signature(node, part), signature(whole, part)];
      expect(served?.type, `${name}.${part}`).toBe(agreed?.type);
      const args = Object.entries(agreed?.args ?? {}).filter(([arg]) => !['compareTo', 'minRequests'].includes(arg));
      expect(served?.args, `${name}.${part}`).toEqual(Object.fromEntries(args));
    }
  }
});
