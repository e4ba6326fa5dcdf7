/** The decoder as the configuration says, for every process that reads records. */
import { firstPartyRules } from '../alerts/pack.ts';
import { deriveKey } from '../core/keys.ts';
import type { OnElement } from '../ingest/drift.ts';
import { openGeo } from '../ingest/geo.ts';
import { createDecoder } from '../ingest/pipeline.ts';
import type { Decoder } from '../ingest/decoder.ts';
import type { RedactionOptions } from '../ingest/redact.ts';
import { readRuleFolders } from '../sigma/folder.ts';
import { type IntakeRule, readIntakeRules } from '../sigma/intake-rule.ts';
import { catalogueOf } from './catalogue.ts';
import type { Config } from './settings.ts';
import { gatewaysOf } from './formats.ts';
import { secretsOf } from './secrets.ts';
import { version } from './version.ts';

export async function makeDecoder(config: Config, onElement?: OnElement): Promise<Decoder> {
  const { current, previous } = secretsOf(config);
  return createDecoder({
    sources: config.sources,
    defaultTenant: config.tenant,
    intakeTopic: config.kafka.brokers.length === 0 ? null : config.intake.topic,
    gateways: gatewaysOf(config.formats),
    ...redactionOf(config),
    intakeRules: await loadIntakeRules(config.rules),
    pseudonyms: deriveKey(current, 'pseudonyms'),
    credentials: deriveKey(current, 'credentials'),
    previousCredentials: previous.map((secret) => deriveKey(secret, 'credentials')),
    catalogue: await catalogueOf(config),
    geo: await openGeo(config.geoip),
    version,
    onElement,
  });
}

/** What comes with the product, and what stands in the folders of the user. */
export const loadIntakeRules = (folders: readonly string[]): Promise<IntakeRule[]> =>
  readRuleFolders([firstPartyRules, ...folders], readIntakeRules);

export function redactionOf({ redaction: { allowQueryKeys, ...byTenant } }: Config): RedactionOptions {
  return { allowedQueryKeys: new Set(allowQueryKeys), ...byTenant };
}
