/** The scalars of the schema: read strictly, written in one form. */
import { isIP } from 'node:net';
import { Kind, valueFromASTUntyped, type ValueNode } from 'graphql/index.js'; // the file that Node takes for 'graphql': a bundler takes another copy
import { parseDuration } from '../core/duration.ts';
import { parseInstant } from '../core/instant.ts';
import { AuditError } from '../core/errors.ts';

function scalar(expected: string, read: (value: unknown) => unknown, write: (value: unknown) => unknown = (value) => value) {
  const parseValue = (value: unknown) => {
    const result = read(value);
    if (result === undefined) throw new AuditError('BAD_USER_INPUT', `Expected ${expected}, got ${JSON.stringify(value)}`);
    return result;
  };
  const literal = (node: ValueNode, variables?: Record<string, unknown> | null) =>
    node.kind === Kind.INT ? Number(node.value) : valueFromASTUntyped(node, variables);
  // Functions alone: the schema gives the scalar its name and its description.
  return {
    parseValue,
    parseLiteral: (node: ValueNode, variables?: Record<string, unknown> | null) => parseValue(literal(node, variables)),
    serialize: write,
  };
}

export const scalars = {
  DateTime: scalar(
    'an instant with an offset, for instance 2026-11-22T10:00:00Z',
    (value) => (typeof value === 'string' ? (parseInstant(value) ?? undefined) : undefined),
    (value) => new Date(Number(value)).toISOString(),
  ),
  Duration: scalar('a duration, for instance PT5M', (value) =>
    typeof value === 'string' && value.startsWith('P') && parseDuration(value) !== null ? value : undefined,
  ),
  SafeInt: scalar('an integer up to 2^53-1', (value) => (Number.isSafeInteger(value) ? value : undefined), Number),
  IPAddress: scalar('an address or a CIDR block', (value) =>
    typeof value === 'string' && isIP(value.split('/')[0] ?? '') !== 0 ? value : undefined,
  ),
  JSONObject: scalar('an object', (value) => (typeof value === 'object' && value !== null ? value : undefined)),
};
