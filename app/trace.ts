/** Notes the step that each partition is in, where a test that kills the process can read it afterwards. */
import { openSync, writeSync } from 'node:fs';
import type { Step } from '../ingest/write.ts';

const slotBytes = 16;

/** One slot of 16 bytes per partition, written in place: what a killed process wrote is in the page cache of the machine. */
export function fileTrace(path: string): (step: Step, topic: string, partition: number) => void {
  const file = openSync(path, 'w');
  return (step, _topic, partition) => void writeSync(file, step.padEnd(slotBytes), partition * slotBytes);
}
