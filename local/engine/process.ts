/** The engine as a program: `node dist/local/engine/process.js DATA_DIR` prints one line, and ends with its parent. */
import { AuditError, messageOf } from '../../core/errors.ts';
import { silentLogger } from '../../core/logger.ts';
import { startEngineHost } from './host.ts';

const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

try {
  const host = await startEngineHost({ dataDir: process.argv[2] ?? 'data', logger: silentLogger });
  const stop = () => void host.stop().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  if (process.connected) {
    process.once('disconnect', () => {
      setTimeout(() => process.exit(1), 1000);
      stop();
    });
  }
  print({ event: 'ready', url: host.url, password: host.password });
} catch (error) {
  print({ event: 'failed', code: error instanceof AuditError ? error.code : 'INTERNAL', message: messageOf(error) });
  process.exitCode = 1;
}
