/** The decoder as the configuration says, for every process that reads records. */
import { deriveKey } from '../core/keys.ts';
import { createDecoder, loadGateways } from '../ingest/pipeline.ts';
import type { Decoder } from '../ingest/decoder.ts';
import type { RedactionOptions } from '../ingest/redact.ts';
import type { Config } from './config.ts';
import { version } from './role.ts';
import { secretsOf } from './secrets.ts';

export async function makeDecoder(config: Config): Promise<Decoder> {
  const { current, previous } = secretsOf(config);
  return createDecoder({
    sources: config.sources,
    defaultTenant: config.tenant,
    intakeTopic: config.kafka.brokers.length === 0 ? null : config.intake.topic,
    gateways: await loadGateways(),
    ...redactionOf(config),
    pseudonyms: deriveKey(current, 'pseudonyms'),
    credentials: deriveKey(current, 'credentials'),
    previousCredentials: previous.map((secret) => deriveKey(secret, 'credentials')),
    version,
  });
}

export function redactionOf({ redaction: { allowQueryKeys, ...byTenant } }: Config): RedactionOptions {
  return { allowedQueryKeys: new Set(allowQueryKeys), ...byTenant };
}
