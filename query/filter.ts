/**
 * A value of AuditEventFilter as a condition over events. Values become bound parameters, never text of the statement.
 * A comparison with an absent value is false; ne, notIn and not negate.
 */
import { isIP } from 'node:net';
import { AuditError } from '../core/errors.ts';
import { decodeEventId } from '../core/event-id.ts';
import { credentialHashes, type PurposeKey } from '../core/keys.ts';
import { addressText } from '../storage/address-text.ts';
import { type Match, parseSearch } from './search.ts';
import { userAgentFamily } from './user-agent-family.ts';

export type { Match };

export interface Condition {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Texts of an event by the name of the filter; absent is ''. Where several hold the value, one of them is enough. */
export const textColumns: Readonly<Record<string, readonly string[]>> = {
  tenant: ['tenant'],
  gateway: ['gateway_name'],
  gatewayKind: ['gateway_kind'],
  topic: ['topic'],
  method: ['http_request_method'],
  scheme: ['url_scheme'],
  host: ['server_address'],
  path: ['url_path'],
  route: ['http_route', 'gateway_route_name', 'gateway_route_id'],
  operation: ['operation_id'],
  service: ['gateway_service_name', 'gateway_service_id'],
  api: ['api_name', 'api_id'],
  apiVersion: ['api_version'],
  errorType: ['error_type'],
  consumer: ['consumer_name', 'consumer_id'],
  consumerGroup: ['consumer_group'],
  credential: ['credential_id', 'credential_hash'],
  authType: ['auth_type'],
  userAgent: ['user_agent_original'],
  tlsVersion: ['tls_protocol_version'],
  requestId: ['request_id'],
  traceId: ['trace_id'],
  collection: ['collection'],
  country: ['client_country'],
  asn: ['client_asn'],
  userAgentFamily: [userAgentFamily],
};

/** undefined for what is no text of an event, also for a name that every object has. */
export const columnsOf = (name: string): readonly string[] | undefined => ownOf(textColumns, name);
const ownOf = <Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** An event has several values of these, or none. */
export const listColumns: Readonly<Record<string, string>> = { dataClass: 'data_classes', signal: 'signals' };

export const numberColumns: Readonly<Record<string, string>> = {
  status: 'http_response_status_code',
  upstreamStatus: 'upstream_status_code',
  durationMs: 'duration_ms',
  upstreamDurationMs: 'upstream_duration_ms',
  requestBytes: 'coalesce(http_request_size, http_request_body_size)',
  responseBytes: 'coalesce(http_response_size, http_response_body_size)',
};

const maxDepth = 5;

/** `credentialKeys`: what raw keys are hashed with, the current one first. */
export function compileFilter(filter: Match | null | undefined, credentialKeys: readonly PurposeKey[] = []): Condition {
  const parameters: Record<string, unknown> = {};
  const bind = (value: unknown, type: string) => {
    const name = `f${Object.keys(parameters).length}`;
    parameters[name] = value;
    return `{${name}:${type}}`;
  };
  return { sql: all(filter ?? {}, Object.assign(bind, { credentialKeys }), 0), parameters };
}

type Bind = (value: unknown, type: string) => string;
type Compiling = Bind & { readonly credentialKeys: readonly PurposeKey[] };

function all(filter: Match, bind: Compiling, depth: number): string {
  if (depth > maxDepth) throw new AuditError('BAD_USER_INPUT', `A filter nests to depth ${maxDepth} at most`);
  return join(
    Object.entries(filter)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => one(name, value, bind, depth)),
    'AND',
  );
}

function one(name: string, value: unknown, bind: Compiling, depth: number): string {
  if (name === 'not') return `NOT ${all(value as Match, bind, depth + 1)}`; // the schema has checked the shapes
  if (name === 'search') return all(parseSearch(String(value)), bind, 0); // its own nesting is not the caller's
  if (Array.isArray(value)) return list(name, value, bind, depth);
  const match = value as Match; // the schema has checked the shapes
  if (name === 'credential') return operators(match, (operator, operand) => credentialOperator(operator, operand, bind));
  const text = columnsOf(name);
  if (text) return operators(match, (operator, operand) => anyColumn(text, operator, operand, bind));
  const number = ownOf(numberColumns, name);
  if (number !== undefined) return operators(match, (operator, operand) => numberOperator(number, operator, operand, bind));
  if (name === 'clientAddress') return operators(match, (operator, operand) => addressOperator(operator, operand, bind));
  throw new AuditError('BAD_USER_INPUT', `There is no filter field ${name}`);
}

function list(name: string, values: unknown[], bind: Compiling, depth: number): string {
  if (name === 'and' || name === 'or') {
    if (values.length === 0) return '0';
    return join(
      values.map((part) => all(part as Match, bind, depth + 1)),
      name === 'and' ? 'AND' : 'OR',
    ); // the schema has checked the shapes
  }
  if (values.length === 0) return '0';
  if (name === 'id')
    return join(
      values.map((id) => position(String(id), bind)),
      'OR',
    );
  if (name === 'outcome' || name === 'lifecycle') {
    const stored = values.map((value) => String(value).toLowerCase());
    return `toString(${name}) IN ${bind(stored, 'Array(String)')}`;
  }
  const column = ownOf(listColumns, name);
  if (column === undefined) throw new AuditError('BAD_USER_INPUT', `There is no filter field ${name}`);
  return `hasAny(${column}, ${bind(values, 'Array(String)')})`;
}

/** The event at the position that an id spells. */
export function position(id: string, bind: Bind): string {
  const at = decodeEventId(id);
  if (!at) return '0';
  return `(source_epoch = ${bind(at.sourceEpoch, 'UInt16')} AND topic = ${bind(at.topic, 'String')} AND kafka_partition = ${bind(at.partition, 'UInt32')} AND kafka_offset = ${bind(at.offset, 'UInt64')} AND message_index = ${bind(at.index, 'UInt32')})`;
}

/** `ne` and `notIn` are the negation of their positives over all columns. */
function operators(match: Match, positive: (operator: string, operand: unknown) => string): string {
  const given = Object.entries(match).filter(([, operand]) => operand !== null && operand !== undefined);
  return join(
    given.map(([operator, operand]) => {
      if (operator === 'ne') return `NOT ${positive('eq', operand)}`;
      if (operator === 'notIn') return `NOT ${positive('in', operand)}`;
      if (operator === 'exists' && operand === false) return `NOT ${positive('exists', true)}`;
      return positive(operator, operand);
    }),
    'AND',
  );
}

const anyColumn = (columns: readonly string[], operator: string, operand: unknown, bind: Bind) =>
  join(
    columns.map((column) => textOperator(column, operator, operand, bind)),
    'OR',
  );

/**
 * A raw key is looked for by every hash that it can have, and a hash of before a rotation in the events since then too: while the
 * secret before is configured they say what it would have been.
 */
function credentialOperator(operator: string, operand: unknown, bind: Compiling): string {
  const columns = textColumns['credential'] ?? [];
  if (operator !== 'eq' && operator !== 'in') return anyColumn(columns, operator, operand, bind);
  const values = [operand].flat().map(String);
  const [, ...previous] = bind.credentialKeys;
  const noted = values.filter((value) => previous.some(({ id }) => value.startsWith(`${id}-`)));
  const hashes = values.flatMap((value) => credentialHashes(bind.credentialKeys, value));
  const found = anyColumn(columns, 'in', [...values, ...hashes], bind);
  if (noted.length === 0) return found;
  return `(${found} OR hasAny(splitByChar(' ', attributes['credential_hash_before']), ${bind(noted, 'Array(String)')}))`;
}

function textOperator(column: string, operator: string, operand: unknown, bind: Bind): string {
  if (operator === 'exists') return `${column} != ''`;
  if (operator === 'in') return `(${column} != '' AND has(${bind(operand, 'Array(String)')}, ${column}))`;
  const value = operator === 'matches' ? bind(regex(String(operand)), 'String') : bind(operand, 'String');
  const tests: Record<string, string> = {
    eq: `${column} = ${value}`,
    startsWith: `startsWith(${column}, ${value})`,
    endsWith: `endsWith(${column}, ${value})`,
    contains: `position(lower(${column}), lower(${value})) > 0`,
    matches: `match(${column}, ${value})`,
  };
  return `(${column} != '' AND ${tests[operator] ?? '0'})`;
}

/** What RE2 lacks is refused here, so that the answer names the argument and not the engine. */
export function regex(pattern: string): string {
  if (pattern.length > 1_000) throw new AuditError('BAD_USER_INPUT', 'A pattern of matches has at most 1000 characters');
  if (/\(\?(?:[=!>]|<[=!])|\\[1-9]/.test(pattern)) {
    throw new AuditError('BAD_USER_INPUT', 'matches takes RE2 patterns: no look-around and no back-references');
  }
  return pattern;
}

const signs: Readonly<Record<string, string>> = { eq: '=', gte: '>=', gt: '>', lte: '<=', lt: '<' };

function numberOperator(column: string, operator: string, operand: unknown, bind: Bind): string {
  if (operator === 'exists') return `isNotNull(${column})`;
  if (operator === 'in') return `ifNull(has(${bind(operand, 'Array(Float64)')}, toFloat64(${column})), 0)`;
  return `ifNull(${column} ${signs[operator]} ${bind(operand, 'Float64')}, 0)`;
}

function addressOperator(operator: string, operand: unknown, bind: Bind): string {
  if (operator === 'exists') return 'isNotNull(client_address)';
  const blocks = (operand as unknown[]).map((value) => block(String(value))); // `in` is the one operator left
  return `(isNotNull(client_address) AND arrayExists(block -> isIPAddressInRange(${addressText}, block), ${bind(blocks, 'Array(String)')}))`;
}

function block(value: string): string {
  const [address = '', bits, ...rest] = plain(value).split('/');
  const family = isIP(address);
  const width = family === 4 ? 32 : 128;
  const good = family !== 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= width));
  if (!good) throw new AuditError('BAD_USER_INPUT', `Expected an address or a CIDR block, got ${JSON.stringify(value)}`);
  return `${address}/${bits ?? width}`;
}

function join(conditions: readonly string[], word: 'AND' | 'OR'): string {
  return conditions.length === 0 ? '1' : `(${conditions.join(` ${word} `)})`;
}

/** An IPv4 address or block in its IPv6 form, as some write it, in its own: so it stands in the store. */
function plain(value: string): string {
  const [, address, bits] = /^::ffff:(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?$/i.exec(value) ?? [];
  if (address === undefined) return value;
  return bits === undefined ? address : `${address}/${Number(bits) - 96}`;
}
