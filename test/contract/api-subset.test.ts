import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, print, type DefinitionNode, type InputValueDefinitionNode, type TypeNode } from 'graphql/index.js';
import { expect, test } from 'vitest';

const read = (file: string) => parse(readFileSync(join(import.meta.dirname, '../../schemas', file), 'utf8')).definitions;
const nameOf = (node: DefinitionNode) => ('name' in node && node.name ? node.name.value : '');
/** What a definition holds, whatever kind it is: fields of types and inputs, values of enums. */
interface Part {
  readonly name: { readonly value: string };
  readonly type?: TypeNode;
  readonly arguments?: readonly InputValueDefinitionNode[];
}
const all = (node: DefinitionNode): readonly Part[] => {
  const { fields = [], values = [] } = node as { fields?: readonly Part[]; values?: readonly Part[] }; // a union of node kinds; each has one of the two or none
  return [...fields, ...values];
};
const parts = (node: DefinitionNode | undefined): string[] => (node === undefined ? [] : all(node)).map((part) => part.name.value);
const withoutDescription = ({ description: _, ...rest }: InputValueDefinitionNode): InputValueDefinitionNode => rest;
const signature = (node: DefinitionNode | undefined, name: string) => {
  const found = node && all(node).find((part) => part.name.value === name);
  if (found === undefined) return undefined;
  const args = (found.arguments ?? []).map((each) => [each.name.value, print(withoutDescription(each))]);
  return { type: found.type ? print(found.type) : '', args: Object.fromEntries(args) as Record<string, string> };
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
