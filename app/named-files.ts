/** The files that a configuration names, opened as the roles open them: what is wrong with them is told before anything starts. */
import { loadRules } from '../alerts/alerts.ts';
import { firstPartyRules } from '../alerts/pack.ts';
import { AuditError } from '../core/errors.ts';
import { openGeo } from '../ingest/geo.ts';
import { catalogueOf } from './catalogue.ts';
import type { Fault } from './config.ts';
import { loadIntakeRules } from './decoder.ts';
import { readPem } from './pem.ts';
import type { Config } from './settings.ts';

const files: readonly ((config: Config) => unknown)[] = [
  catalogueOf,
  ({ rules }) => loadRules([firstPartyRules, ...rules]),
  ({ rules }) => loadIntakeRules(rules),
  ({ geoip }) => openGeo(geoip),
  ({ http: { tls } }) => tls.cert !== undefined && readPem('http.tls.cert', tls.cert),
  ({ http: { tls } }) => tls.key !== undefined && readPem('http.tls.key', tls.key),
  ({ kafka: { tls } }) => typeof tls === 'string' && readPem('kafka.tls', tls),
];

/** Every fault of every file, once. */
export async function faultsOfFiles(config: Config): Promise<readonly Fault[]> {
  const faults = (await Promise.all(files.map((open) => faultsOf(open, config)))).flat();
  return [...new Map(faults.map((fault) => [JSON.stringify(fault), fault])).values()];
}

async function faultsOf(open: (config: Config) => unknown, config: Config): Promise<readonly Fault[]> {
  try {
    await open(config);
    return [];
  } catch (error) {
    if (!(error instanceof AuditError)) throw error;
    return (error.facts['faults'] as Fault[] | undefined) ?? [faultIn(error.message)];
  }
}

/** `geoip: expected a database`: the setting, then what is wrong with what it names. */
function faultIn(text: string): Fault {
  const [, path = '', message = text] = /^([a-z.]+): (.*)$/s.exec(text) ?? [];
  return { path, from: path, message };
}
