/** The decoder as the configuration says, for every process that reads records. */
import { deriveKey } from '../core/keys.ts';
import type { OnElement } from '../ingest/drift.ts';
import { openGeo } from '../ingest/geo.ts';
import { createDecoder } from '../ingest/pipeline.ts';
import { emptyCatalogue, readCatalogue } from '../schemas/catalogue.ts';
import type { Decoder } from '../ingest/decoder.ts';
import type { Config } from './config.ts';
import { gatewaysOf } from './formats.ts';
import { version } from './role.ts';
import { secretsOf } from './secrets.ts';

export async function makeDecoder(config: Config, onElement?: OnElement): Promise<Decoder> {
  return createDecoder({
    sources: config.sources,
    defaultTenant: config.tenant,
    intakeTopic: config.kafka.brokers.length === 0 ? null : config.intake.topic,
    gateways: gatewaysOf(config.formats),
    allowedQueryKeys: new Set(config.redaction.allowQueryKeys),
    pseudonyms: deriveKey(secretsOf(config).current, 'pseudonyms'),
    credentials: deriveKey(secretsOf(config).current, 'credentials'),
    catalogue: await catalogueOf(config),
    geo: await openGeo(config.geoip),
    version,
    onElement,
  });
}

/** @throws CONFIG_INVALID */
export const catalogueOf = async ({ catalogue }: Config) => (catalogue === undefined ? emptyCatalogue : readCatalogue(catalogue));
