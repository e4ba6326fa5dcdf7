// Preloaded into a process of the product: at SIGUSR2 it collects its garbage and tells on stderr what lives, in bytes.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGUSR2', () => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  process.stderr.write(`lives: ${heapUsed + external}\n`);
});
