/** The decoder as the configuration says, for every process that reads records. */
import { firstPartyRules } from '../alerts/pack.ts';
import { deriveKey } from '../core/keys.ts';
import { createDecoder, loadGateways } from '../ingest/pipeline.ts';
import type { Decoder } from '../ingest/decoder.ts';
import { readRuleFolders } from '../sigma/folder.ts';
import { type IntakeRule, readIntakeRules } from '../sigma/intake-rule.ts';
import type { Config } from './config.ts';
import { version } from './role.ts';
import { secretsOf } from './secrets.ts';

export async function makeDecoder(config: Config): Promise<Decoder> {
  return createDecoder({
    sources: config.sources,
    defaultTenant: config.tenant,
    intakeTopic: config.kafka.brokers.length === 0 ? null : config.intake.topic,
    gateways: await loadGateways(),
    allowedQueryKeys: new Set(config.redaction.allowQueryKeys),
    intakeRules: await loadIntakeRules(config.rules),
    pseudonyms: deriveKey(secretsOf(config).current, 'pseudonyms'),
    credentials: deriveKey(secretsOf(config).current, 'credentials'),
    version,
  });
}

/** What comes with the product, and what stands in the folders of the user. */
export const loadIntakeRules = (folders: readonly string[]): Promise<IntakeRule[]> =>
  readRuleFolders([firstPartyRules, ...folders], readIntakeRules);
