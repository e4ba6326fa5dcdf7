/** OpenAPI 3.0 and 3.1 documents: what the catalogue takes of them. References to local files are followed, the network is never asked. */
import { dereference, type ParserOptions, validate } from '@readme/openapi-parser';
import { isObject, type Json, listOf, objectOf, own, textOf } from '../core/fields.ts';

export interface OpenApiOperation {
  /** In capitals. */
  readonly method: string;
  /** As the document has it, below the path of a server. */
  readonly template: string;
  readonly operation: string;
  readonly deprecated: boolean;
  /** `x-sunset` of the operation, as oasdiff reads it: a date. '' without one. */
  readonly sunset: string;
  /** Asks for a credential: none of its security requirements is empty. */
  readonly secured: boolean;
  readonly tags: readonly string[];
  /** Of the operation, else of its path; null: those of the document. */
  readonly servers: readonly string[] | null;
}

export interface OpenApi {
  readonly title: string;
  readonly version: string;
  /** URLs with the defaults of their variables; `/` where the document names none. */
  readonly servers: readonly string[];
  readonly operations: readonly OpenApiOperation[];
}

/** The resolver asks `canRead` before it asks the network. */
const withoutNetwork = { canRead: false } as object;
/** What makes a document poor, not wrong, is nothing to stop for. */
const warned = [
  'array-without-items',
  'duplicate-non-request-body-parameters',
  'duplicate-operation-id',
  'invalid-security-scheme-properties',
  'non-optional-path-parameters',
  'path-parameters-not-in-parameters',
  'path-parameters-not-in-path',
];
const options: ParserOptions = {
  resolve: { http: withoutNetwork },
  dereference: { circular: 'ignore' },
  validate: { rules: { openapi: Object.fromEntries(warned.map((rule) => [rule, 'warning'])) } },
};

/** @throws Error that says every fault of the document */
export async function readOpenApi(file: string): Promise<OpenApi> {
  const document = objectOf(await resolved(file));
  if (!/^3\.[01]\./.test(textOf(document['openapi']))) throw new Error('expected an OpenAPI document of version 3.0 or 3.1');
  const result = await validate(file, options);
  if (!result.valid) throw new Error(result.errors.map(({ message }) => message.trim()).join('\n'));
  const info = objectOf(document['info']);
  return {
    title: textOf(info['title']),
    version: textOf(info['version']),
    servers: serversOf(document) ?? ['/'],
    operations: operationsOf(document),
  };
}

async function resolved(file: string): Promise<unknown> {
  try {
    return await dereference(file, options);
  } catch (error) {
    const remote = /https?:\/\/[^\s"']+/.exec(String(error))?.[0];
    if (remote === undefined) throw error;
    throw new Error(`expected references to local files alone, nothing is fetched; got ${remote}`, { cause: error });
  }
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

function operationsOf(document: Json): OpenApiOperation[] {
  const paths = objectOf(document['paths']);
  return Object.keys(paths).flatMap((template) => {
    const item = objectOf(own(paths, template));
    return methods.filter((method) => isObject(item[method])).map((method) => operationOf(document, { template, method, item }));
  });
}

function operationOf(document: Json, { template, method, item }: { template: string; method: string; item: Json }): OpenApiOperation {
  const operation = objectOf(item[method]);
  const security = listOf(operation['security'] ?? document['security']);
  return {
    method: method.toUpperCase(),
    template,
    operation: textOf(operation['operationId']),
    deprecated: operation['deprecated'] === true,
    sunset: dateOf(operation['x-sunset']),
    secured: security.length > 0 && security.every((each) => Object.keys(objectOf(each)).length > 0),
    tags: listOf(operation['tags']).map(textOf),
    servers: serversOf(operation) ?? serversOf(item),
  };
}

/** YAML reads an unquoted date as one. */
const dateOf = (value: unknown): string => (value instanceof Date ? value.toISOString().slice(0, 10) : textOf(value));

/** null where `of`, a document, a path or an operation, names none. */
function serversOf(of: Json): string[] | null {
  const servers = listOf(of['servers']).map(objectOf);
  return servers.length === 0 ? null : servers.map(serverUrl);
}

/** `https://{region}.example.com/{base}` with the default of each variable. */
function serverUrl(server: Json): string {
  const variables = objectOf(server['variables']);
  return textOf(server['url']).replaceAll(/\{([^{}]*)\}/g, (whole, name: string) =>
    isObject(own(variables, name)) ? textOf(objectOf(own(variables, name))['default']) : whole,
  );
}
