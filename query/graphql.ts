/** GraphQL over HTTP: one POST, one operation, coded errors, nothing else. The HTTP server mounts `handle`. */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { GraphQLError, NoSchemaIntrospectionCustomRule } from 'graphql/index.js'; // the file that Node takes for 'graphql': a bundler takes another copy
import { createYoga, useExecutionCancellation, type Plugin } from 'graphql-yoga';
import { catalogue, forCallers, type ErrorCode } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { depthAndAliases, maxTokens } from './query-limits.ts';
import type { ReadContext, ReadOptions } from './guard.ts';
import { scalars } from './scalars.ts';
import { createResolvers } from './schema.ts';
import type { Caller } from '../storage/access.ts';

export interface GraphqlOptions extends ReadOptions {
  readonly logger: Logger;
  /** The page for trying queries, and the schema for everyone: the embedded default alone. */
  readonly graphiql: boolean;
}

export interface GraphqlRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly caller: Caller;
  readonly address: string;
}

export interface Graphql {
  handle(request: GraphqlRequest): Promise<void>;
  /** The page at GET /graphql, or null where it is not offered. It holds no data: its queries carry a key. */
  readonly page: { readonly html: string; readonly csp: string } | null;
}

/** An operation has 1,000 tokens at most; the rest is room for variables. */
const maxBodyBytes = 4 * 1024 * 1024;

const schemaFile = join(import.meta.dirname, '../schemas/api.graphql');

export function createGraphql(options: GraphqlOptions): Graphql {
  const schema = makeExecutableSchema({
    typeDefs: readFileSync(schemaFile, 'utf8'),
    resolvers: { ...scalars, ...createResolvers(options) },
  });
  const yoga = createYoga<{ req: IncomingMessage; res: ServerResponse } & Omit<ReadContext, 'request'>>({
    schema,
    graphiql: false,
    landingPage: false,
    multipart: false,
    cors: false,
    batching: false,
    maxRequestBodySize: maxBodyBytes, // of a body that does not say its length
    logging: false,
    maskedErrors: { maskError: (error) => coded(error, options.logger) },
    plugins: [useExecutionCancellation(), judged(options.graphiql)],
  });
  return {
    page: options.graphiql ? tryOutPage() : null,
    async handle({ req, res, caller, address }) {
      const type = req.headers['content-type']?.split(';')[0]?.trim();
      // A query in a URL would stand in logs of proxies, and a link could make somebody's browser ask it.
      if (req.method !== 'POST') return refuse(res, { status: 405, code: 'BAD_USER_INPUT', message: 'Send queries as POST' });
      const length = Number(req.headers['content-length'] ?? Infinity);
      // What is refused is not read to its end: the connection cannot go on after it.
      res.shouldKeepAlive = length <= maxBodyBytes;
      if (Number.isFinite(length) && length > maxBodyBytes)
        return refuse(res, {
          code: 'PAYLOAD_TOO_LARGE',
          message: `The body is larger than the ${maxBodyBytes} bytes that are taken at once`,
        });
      if (type !== 'application/json') return refuse(res, { code: 'UNSUPPORTED_MEDIA_TYPE', message: 'Send application/json' });
      await yoga(req, res, { caller, address } as never); // yoga adds req and res itself
    },
  };
}

/** Sizes are judged, and who may not ask for the schema is refused, before anything runs. */
function judged(openSchema: boolean): Plugin {
  return {
    onParse: ({ parseFn, setParseFn }) => setParseFn((source, options) => parseFn(source, { ...options, maxTokens })),
    onValidate: ({ addValidationRule, context }) => {
      addValidationRule(depthAndAliases);
      const { caller } = context as unknown as ReadContext; // `handle` gives it
      if (!openSchema && !caller.roles.includes('admin')) addValidationRule(NoSchemaIntrospectionCustomRule);
    },
  };
}

function refuse(res: ServerResponse, { code, message, status }: { code: ErrorCode; message: string; status?: number }): void {
  res.writeHead(status ?? catalogue[code].http, { 'content-type': 'application/json', ...(status === 405 && { allow: 'POST' }) });
  res.end(JSON.stringify({ errors: [{ message, extensions: { code } }] }));
}

/** Errors of the catalogue go out with their code; of anything else only an id that the log knows. */
function coded(error: unknown, logger: Logger): Error {
  const cause = error instanceof GraphQLError ? error.originalError : error;
  const place = error instanceof GraphQLError ? { nodes: error.nodes ?? null, path: error.path ?? null } : {};
  // A scalar that refuses a variable throws a GraphQLError of its own, which is wrapped once more.
  if (error instanceof GraphQLError && (cause === undefined || cause === null || cause instanceof GraphQLError)) {
    const { code = 'BAD_USER_INPUT' } = error.extensions;
    const ours = code === 'REQUEST_ENTITY_TOO_LARGE' ? 'PAYLOAD_TOO_LARGE' : code;
    return new GraphQLError(error.message, { ...place, extensions: { ...error.extensions, code: ours } });
  }
  const known = forCallers(cause);
  if (known !== null) return new GraphQLError(known.message, { ...place, extensions: { ...known.facts, code: known.code } });
  const errorId = randomUUID();
  logger.error({ errorId, err: cause }, 'a query failed for a reason of ours');
  return new GraphQLError('A fault of Gatetrail; its log has the details under the errorId', {
    ...place,
    extensions: { code: 'INTERNAL', errorId },
  });
}

const firstQuery = `{
  auditEvents(range: { relative: "PT1H" }, first: 20) {
    nodes { timestamp request { method path } response { status } principal { consumerName } client { address } outcome }
  }
}`;

function tryOutPage() {
  const html = renderGraphiQL({ title: 'Gatetrail', endpoint: '/graphql', defaultQuery: firstQuery } as never);
  const scripts = [...html.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, body]) =>
      `'sha256-${createHash('sha256')
        .update(body ?? '')
        .digest('base64')}'`,
  );
  // GraphiQL and its editor make style elements as they run: no hash can name them. Styles run nothing.
  const csp = `default-src 'self'; script-src 'self' ${scripts.join(' ')}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'`;
  return { html, csp };
}
