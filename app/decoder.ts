/** The decoder as the configuration says, for every process that reads records. */
import { deriveKey } from '../core/keys.ts';
import { openGeo } from '../ingest/geo.ts';
import { createDecoder, loadGateways } from '../ingest/pipeline.ts';
import type { Decoder } from '../ingest/decoder.ts';
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
    pseudonyms: deriveKey(secretsOf(config).current, 'pseudonyms'),
    credentials: deriveKey(secretsOf(config).current, 'credentials'),
    geo: await openGeo(config.geoip),
    version,
  });
}
