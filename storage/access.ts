/** Who asks: API keys, their roles and tenants. Only a keyed hash of a key is stored; the key itself is shown once. */
import { randomInt, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Clock } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';
import { keyedHash, type PurposeKey } from '../core/keys.ts';
import { createAttempts } from './attempts.ts';
import type { ClickHouse } from './clickhouse.ts';

export type Role = 'viewer' | 'analyst' | 'auditor' | 'operator' | 'admin' | 'ingest';

/** `*` among the tenants stands for all of them: only the configured admin key has it. */
export interface Caller {
  readonly name: string;
  readonly keyId: string;
  readonly roles: readonly Role[];
  readonly tenants: readonly string[];
}

export interface ApiKey extends Caller {
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}

export interface NewKey {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly tenants: readonly string[];
  readonly expiresAt: number | null;
}

export interface AccessOptions {
  readonly clickhouse: ClickHouse;
  /** Drawn for `api-keys`: the current one first, then those that are still accepted. */
  readonly keys: readonly [PurposeKey, ...PurposeKey[]];
  readonly adminKey?: string;
  readonly clock: Clock;
}

export interface Access {
  /** Caller behind an Authorization header. @throws UNAUTHENTICATED, RATE_LIMITED after ten failures in a minute from one address */
  authenticate(header: string | undefined, address: string): Promise<Caller>;
  create(key: NewKey, by: Caller): Promise<{ apiKey: ApiKey; secret: string }>;
  find(id: string): Promise<ApiKey | null>;
  revoke(key: ApiKey): Promise<ApiKey>;
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly hash: string;
  readonly hash_key: string;
  readonly roles: Role[];
  readonly tenants: string[];
  readonly created_by: string;
  readonly created: string;
  readonly expires: string | null;
  readonly revoked: string | null;
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const cacheMs = 3_000;

export function openAccess(options: AccessOptions): Access {
  const { clickhouse, keys, clock } = options;
  const cache = new Map<string, { row: Row | null; until: number }>();
  const attempts = createAttempts(clock);
  /** Hashes of keys that were good lately: one broken client behind an address must not lock out the others behind it. */
  const good = new Set<string>();

  async function read(id: string): Promise<Row | null> {
    const cached = cache.get(id);
    if (cached && cached.until > clock.now()) return cached.row;
    const [row = null] = await clickhouse.rows<Row>(
      `SELECT id, name, hash, hash_key, roles, tenants, created_by,
  toUnixTimestamp64Milli(created_at) AS created, toUnixTimestamp64Milli(expires_at) AS expires, toUnixTimestamp64Milli(revoked_at) AS revoked
FROM api_keys FINAL
WHERE id = {id:String}`,
      { parameters: { id } },
    );
    if (cache.size > 10_000) cache.clear();
    cache.set(id, { row, until: clock.now() + cacheMs });
    return row;
  }

  async function write(row: object, id: string, version: number): Promise<void> {
    await clickhouse.insertRows('api_keys', [{ ...row, version }]);
    cache.delete(id);
  }

  async function recognise(token: string): Promise<Caller | null> {
    if (options.adminKey !== undefined && isSame(keyedHash(keys[0], token), keyedHash(keys[0], options.adminKey))) {
      return { name: 'admin', keyId: 'admin', roles: ['admin'], tenants: ['*'] };
    }
    const id = idOf(token);
    const row = id === null ? null : await read(id);
    const key = row && keys.find((one) => one.id === row.hash_key);
    if (!row || !key || !isSame(row.hash, keyedHash(key, token))) return null;
    const apiKey = toApiKey(row);
    if (apiKey.revokedAt !== null || (apiKey.expiresAt !== null && apiKey.expiresAt <= clock.now())) return null;
    return apiKey;
  }

  return {
    async authenticate(header, address) {
      const token = /^Bearer (\S{1,512})$/i.exec(header ?? '')?.[1];
      const hash = keyedHash(keys[0], token ?? '');
      const isKnown = good.has(hash);
      const end = isKnown ? () => {} : await attempts.begin(address);
      let caller: Caller | null = null;
      let hasFailed = false;
      try {
        caller = token === undefined ? null : await recognise(token);
        hasFailed = caller === null;
      } finally {
        end(hasFailed);
      }
      if (caller === null) {
        good.delete(hash);
        if (isKnown) attempts.failed(address);
        throw new AuditError('UNAUTHENTICATED', 'Expected Authorization: Bearer KEY with a key that is valid now');
      }
      if (good.size >= 10_000) good.clear();
      good.add(hash);
      return caller;
    },
    async create(key, by) {
      const secret = newToken();
      const id = idOf(secret) ?? '';
      const now = clock.now();
      const hash = { hash: keyedHash(keys[0], secret), hash_key: keys[0].id };
      const stored = { id, name: key.name, ...hash, roles: key.roles, tenants: key.tenants, created_by: by.name };
      await write({ ...stored, created_at: iso(now), expires_at: iso(key.expiresAt), revoked_at: null }, id, now);
      return { apiKey: { ...key, keyId: id, createdBy: by.name, createdAt: now, revokedAt: null }, secret };
    },
    async find(id) {
      const row = await read(id);
      return row && toApiKey(row);
    },
    async revoke(key) {
      const row = await read(key.keyId);
      const revokedAt = clock.now();
      if (!row || key.revokedAt !== null) return key;
      const { created, expires, revoked: _, ...rest } = row;
      const times = {
        created_at: iso(Number(created)),
        expires_at: iso(expires === null ? null : Number(expires)),
        revoked_at: iso(revokedAt),
      };
      await write({ ...rest, ...times }, key.keyId, Math.max(revokedAt, Number(created) + 1));
      return { ...key, revokedAt };
    },
  };
}

/** `gtk_ID_SECRET_CRC32`: 8 and 32 random letters and digits. */
export function newToken(): string {
  const body = `gtk_${randomText(8)}_${randomText(32)}`;
  return `${body}_${checksum(body)}`;
}

/** The id inside a well-formed key, or null; a mistyped key is told without asking anyone. */
export function idOf(token: string): string | null {
  const match = /^(gtk_([0-9A-Za-z]{8})_[0-9A-Za-z]{32})_([0-9a-f]{8})$/.exec(token);
  return match?.[1] !== undefined && match[3] === checksum(match[1]) ? (match[2] ?? null) : null;
}

function toApiKey(row: Row): ApiKey {
  return {
    name: row.name,
    keyId: row.id,
    roles: row.roles,
    tenants: row.tenants,
    createdBy: row.created_by,
    createdAt: Number(row.created),
    expiresAt: row.expires === null ? null : Number(row.expires),
    revokedAt: row.revoked === null ? null : Number(row.revoked),
  };
}

const checksum = (text: string) => crc32(text).toString(16).padStart(8, '0');
const randomText = (length: number) => Array.from({ length }, () => alphabet[randomInt(62)]).join('');
const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
const isSame = (a: string, b: string) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
