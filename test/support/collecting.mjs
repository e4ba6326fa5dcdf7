// Preloaded into a process of the product: at SIGUSR2 it collects its garbage and tells on stderr what lives, in bytes.
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGUSR2', async () => {
  // The first collection leaves what its threads are still to free, buffers above all: they count until then.
  for (let times = 0; times < 2; times += 1) {
    collect();
    await sleep(500);
  }
  const { heapUsed, external } = process.memoryUsage();
  process.stderr.write(`lives: ${heapUsed + external}\n`);
});
