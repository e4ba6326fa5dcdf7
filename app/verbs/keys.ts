/** `gatetrail keys create|revoke`: API keys; a secret is printed once. */
import { AuditError } from '../../core/errors.ts';
import { parseDuration } from '../../core/duration.ts';
import { call, serviceOptions, withService } from '../service.ts';
import { exitCodes, note, print, text, type Verb } from '../verb.ts';

interface Payload {
  readonly apiKey: { readonly id: string; readonly prefix: string } | null;
  readonly secret?: string | null;
  readonly userErrors: readonly { readonly code: string; readonly message: string }[];
}

/** Until masking is there, no other role can be given. */
const offered = ['ADMIN', 'INGEST'];

const keys: Verb = {
  description: 'makes or revokes API keys',
  arguments: ['<create|revoke>', '[ID]'],
  options: {
    '--name <NAME>': 'what it is for',
    '--role <ROLE...>': offered.join(' or ').toLowerCase(),
    '--tenant <NAME...>': 'tenants it is bound to; all of yours when left out',
    '--expires <SPAN>': 'how long it lives',
    ...serviceOptions,
  },
  async run(flags, [what, id]) {
    const { query, variables } = what === 'create' ? createOf(flags) : revokeOf(what, id);
    const body = JSON.stringify({ query, variables });
    const answer = (await withService(flags, (service) => call(service, '/graphql', body, { 'content-type': 'application/json' }))) as {
      data?: { payload: Payload | null } | null;
      errors?: readonly { message: string }[];
    };
    const payload = answer.data?.payload ?? null;
    for (const { message } of [...(answer.errors ?? []), ...(payload?.userErrors ?? [])]) note(message);
    if (payload?.apiKey === undefined || payload.apiKey === null) return exitCodes.failed;
    const { secret } = payload;
    if (flags['json'] === true) print({ ...payload.apiKey, ...(secret && { secret }) });
    else print(secret ? `${secret}\nThis is shown once. Key ${payload.apiKey.id}.` : `Key ${payload.apiKey.id} is revoked.`);
    return 0;
  },
};
export default keys;

function createOf(flags: Readonly<Record<string, unknown>>) {
  const name = text(flags as never, 'name');
  const roles = listOf(flags['role']).map((role) => role.toUpperCase());
  if (name === undefined || roles.length === 0) throw new AuditError('BAD_USER_INPUT', 'keys create needs --name NAME and --role ROLE');
  const unknown = roles.find((role) => !offered.includes(role));
  if (unknown !== undefined)
    throw new AuditError('BAD_USER_INPUT', `--role must be one of ${offered.join(', ').toLowerCase()}, not ${unknown.toLowerCase()}`);
  const expires = text(flags as never, 'expires');
  const at = expires === undefined ? null : new Date(Date.now() + (parseDuration(expires) ?? Number.NaN));
  if (at !== null && Number.isNaN(at.getTime()))
    throw new AuditError('BAD_USER_INPUT', `--expires must be a span like 30d, not ${expires}`);
  const tenants = flags['tenant'] === undefined ? null : listOf(flags['tenant']);
  const input = { name, roles, tenants, expiresAt: at?.toISOString() ?? null };
  return {
    query:
      'mutation ($input: ApiKeyInput!) { payload: createApiKey(input: $input) { apiKey { id prefix } secret userErrors { code message } } }',
    variables: { input },
  };
}

function revokeOf(what: string | undefined, id: string | undefined) {
  if (what !== 'revoke' || id === undefined)
    throw new AuditError('BAD_USER_INPUT', 'expected: keys create --name NAME --role ROLE, or keys revoke ID');
  return {
    query: 'mutation ($id: ID!) { payload: revokeApiKey(id: $id) { apiKey { id prefix } userErrors { code message } } }',
    variables: { id },
  };
}

const listOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((each): each is string => typeof each === 'string');
