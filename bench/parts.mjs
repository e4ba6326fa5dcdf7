// Each part by its name: what is measured how, in which sizes, and which ratios are wanted.
import codecs from './codecs.mjs';
import disk from './disk.mjs';
import formats from './formats.mjs';
import freshness from './freshness.mjs';
import fullPath from './full-path.mjs';
import growth from './growth.mjs';
import kafkaEngine from './kafka-engine.mjs';
import limits from './limits.mjs';
import naive from './naive.mjs';
import { partsOverTime } from './parts-over-time.mjs';
import reads from './reads.mjs';
import steps from './steps.mjs';

export const parts = {
  'full-path': fullPath,
  steps,
  formats,
  freshness,
  reads,
  'kafka-engine': kafkaEngine,
  naive,
  limits,
  growth,
  disk,
  codecs,
  'parts-4': partsOverTime(4),
  'parts-12': partsOverTime(12),
  'parts-48': partsOverTime(48),
};
