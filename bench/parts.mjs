// Each part by its name: what is measured how, in which sizes, and which ratios are wanted.
import fullPath from './full-path.mjs';
import kafkaEngine from './kafka-engine.mjs';
import reads from './reads.mjs';

export const parts = { 'full-path': fullPath, reads, 'kafka-engine': kafkaEngine };
