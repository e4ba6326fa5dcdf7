/** Posts the demonstration's traffic twice a second, as the gateways' own log plugins would. */
import { messageOf } from '../../core/errors.ts';
import { call, type Service } from '../service.ts';
import type { Posting } from './traffic.ts';

const everyMs = 500;

interface GeneratorOptions {
  readonly service: Service;
  readonly next: (startedAt: number, fromMs: number, toMs: number) => Posting[];
  readonly note: (line: string) => void;
}

/** Gives the function that ends it. */
export function startGenerator({ service, next, note }: GeneratorOptions): () => void {
  const startedAt = Date.now();
  let until = 0;
  let isBusy = false;
  const post = async () => {
    if (isBusy) return; // what was not posted is made up for by the next round
    isBusy = true;
    const from = until;
    until = Date.now() - startedAt;
    try {
      for (const { gateway, format, type, body } of next(startedAt, from, until)) {
        await call(service, `/v1/records?format=${format}&gateway=${gateway}`, body, { 'content-type': type });
      }
    } catch (error) {
      note(`posting records: ${messageOf(error)}`);
    } finally {
      isBusy = false;
    }
  };
  const timer = setInterval(() => void post(), everyMs);
  return () => clearInterval(timer);
}
