/** Retention as it is configured. */
import type { RetentionPolicy } from '../storage/retention-policy.ts';
import type { Config } from './settings.ts';

export function policyOf({ retention }: Config): RetentionPolicy {
  return {
    defaultMs: retention.default ?? Infinity,
    classes: retention.classes.map(({ name, tenants, dataClasses, keep }) => ({ name, tenants, dataClasses, keepMs: keep })),
  };
}
