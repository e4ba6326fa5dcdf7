/** Keys of the API: made, shown once, revoked; never with more than their maker has. */
import type { ApiKeyInput } from '../../schemas/api.ts';
import type { ApiKey, Caller, Role } from '../../storage/access.ts';
import type { Guard, ReadOptions } from '../guard.ts';
import type { Resolvers } from '../resolver-types.ts';

export function keyResolvers({ access, clock }: ReadOptions, { guarded }: Guard) {
  return {
    Mutation: {
      createApiKey: guarded(
        async ({ input }, { caller }) => {
          const userErrors = faultsOf(input, caller, clock.now());
          if (userErrors.length > 0) return { apiKey: null, secret: null, userErrors };
          const roles = input.roles.map((role) => role.toLowerCase() as Role); // the same words
          const { apiKey, secret } = await access.create(
            { name: input.name, roles, tenants: input.tenants ?? caller.tenants, expiresAt: input.expiresAt ?? null },
            caller,
          );
          return { apiKey: viewKey(apiKey), secret, userErrors };
        },
        { roles: ['admin'] },
      ),
      revokeApiKey: guarded(
        async ({ id }, { caller }) => {
          const key = await access.find(id);
          const isTheirs = key && (caller.tenants.includes('*') || key.tenants.every((tenant) => caller.tenants.includes(tenant)));
          const missing = { field: ['id'], code: 'NOT_FOUND', message: 'There is no such key' };
          if (!isTheirs) return { apiKey: null, secret: null, userErrors: [missing] };
          return { apiKey: viewKey(await access.revoke(key)), secret: null, userErrors: [] };
        },
        { roles: ['admin'] },
      ),
    },
  } satisfies Resolvers;
}

export const noGrants = { apis: null, collections: null, dataClasses: null, lookback: null, networks: null };
const offered = new Set(['ADMIN', 'INGEST']);

function faultsOf(input: ApiKeyInput, caller: Caller, now: number) {
  const faults: { field: string[]; code: string; message: string }[] = [];
  const fault = (field: string, message: string) => faults.push({ field: ['input', field], code: 'BAD_USER_INPUT', message });
  const { roles, tenants, expiresAt } = input;
  const refused = roles.filter((role) => !offered.has(role));
  if (refused.length > 0) fault('roles', `A key can have the roles ADMIN and INGEST, not ${refused.join(', ')}`);
  if (roles.length === 0) fault('roles', 'A key has at least one role');
  const beyond = (tenants ?? []).filter((tenant) => !caller.tenants.includes('*') && !caller.tenants.includes(tenant));
  if (beyond.length > 0) fault('tenants', `These tenants are beyond your own: ${beyond.join(', ')}`);
  if (tenants?.length === 0) fault('tenants', 'A key has at least one tenant');
  if (expiresAt != null && expiresAt <= now) fault('expiresAt', 'The key would have expired already');
  if (Object.values(input.grants ?? {}).some((grant) => grant != null)) fault('grants', 'Grants are not offered by this version');
  if (input.name.trim() === '') fault('name', 'A key has a name');
  return faults;
}

/** Roles as the schema writes them. */
export const rolesOf = ({ roles }: Caller) => roles.map((role) => role.toUpperCase() as Uppercase<Role>);

const viewKey = (key: ApiKey) => ({
  ...key,
  id: key.keyId,
  prefix: `gtk_${key.keyId}`,
  roles: rolesOf(key),
  grants: noGrants,
  lastUsedAt: null,
});
