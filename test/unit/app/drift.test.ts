/** What ingest says of drift on its page of metrics. */
import { expect, test } from 'vitest';
import { watchDrift } from '../../../app/ingest.ts';
import { createMetrics } from '../../../app/telemetry.ts';
import { createRecognisers } from '../../../ingest/recognise.ts';
import { loadGateways } from '../../../ingest/pipeline.ts';

test('a record of another format, and one that several formats match, count by topic and by the two formats', async () => {
  const metrics = createMetrics('1');
  const watch = watchDrift(metrics);
  const place = { topic: 'edge', stream: 'edge/', recogniser: createRecognisers(await loadGateways())(undefined) };
  const both = { request: {}, response: {}, started_at: 1, start_time: 1, tries: [], route_id: '7' };
  const element = { format: 'kong', test: '', value: {}, skips: () => '', read: () => {} };
  for (let at = 0; at < 50; at += 1) watch(element, place);
  watch({ ...element, format: 'apisix', value: both }, place);
  const text = await metrics.text();
  expect(text).toContain('gatetrail_ingest_format_drift_total{topic="edge",expected="kong",came="apisix"} 1\n');
  expect(text).toContain('gatetrail_ingest_ambiguous_records_total{topic="edge",taken="apisix",other="kong"} 1\n');
});
