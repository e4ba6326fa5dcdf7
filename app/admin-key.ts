/** The key of the administrator: configured, or made at the first start of the embedded default and kept in DATA/admin.key. */
import { join } from 'node:path';
import { newToken } from '../storage/access.ts';
import { type Config, kept } from './config.ts';

export function adminKeyOf(config: Config): string | undefined {
  if (config.access.adminKey !== undefined) return config.access.adminKey;
  if (config.clickhouse.url !== undefined) return undefined;
  return kept(join(config.dataDir, 'admin.key'), newToken);
}
