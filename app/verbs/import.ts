/** `gatetrail import FILE…`: log files into the log, and not done before they are stored. */
import { join } from 'node:path';
import { followFile, type ImportOptions, importFile, type Tally } from '../import/import.ts';
import { assertReadable, isPipe } from '../import/files.ts';
import { openProgress } from '../import/progress.ts';
import { serviceOptions, withService } from '../service.ts';
import { configOf, exitCodes, note, print, text, type Verb } from '../verb.ts';

const importVerb: Verb = {
  description: 'appends the records of log files to the log and waits until they are stored; - is standard input',
  arguments: ['<FILES...>'],
  options: {
    '--format <NAME>': 'read as this format, leave recognition out',
    '--topic <NAME>': 'the topic they are appended to; the intake topic when left out',
    '--tenant <NAME>': 'whose the records are',
    '--follow': 'go on with files that grow or rotate, until Ctrl-C',
    '--again': 'import anew what was imported before',
    ...serviceOptions,
  },
  async run(flags, files) {
    await assertReadable(files);
    const tally: Tally = { files: 0, messages: 0, events: 0, rejected: 0, skipped: 0, reasons: {} };
    const progress = openProgress(join(configOf(flags).dataDir, 'imports.json'));
    await withService(flags, async (service) => {
      const options: ImportOptions = {
        service,
        progress,
        format: text(flags, 'format'),
        tenant: text(flags, 'tenant'),
        topic: text(flags, 'topic'),
        again: flags['again'] === true,
        note,
      };
      if (flags['follow'] !== true) for (const file of files) await importFile(file, tally, options);
      else await follow(files, tally, options);
    });
    if (flags['json'] === true) print(tally);
    else
      print(
        `${tally.files} file(s), ${tally.messages} message(s): ${tally.events} event(s), ${tally.rejected} rejected, ${tally.skipped} skipped${reasons(tally)}`,
      );
    if (tally.rejected > 0) return exitCodes.findings;
    // Whoever tries again sends nothing twice where marks are kept; of a pipe, and with --again, all would be sent again.
    const hasMarks = flags['again'] !== true && !files.some(isPipe);
    return tally.pending !== undefined && hasMarks ? exitCodes.later : 0;
  },
};
export default importVerb;

async function follow(files: readonly string[], tally: Tally, options: ImportOptions): Promise<void> {
  const control = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => control.abort());
  await Promise.all(files.map((file) => followFile(file, tally, { ...options, signal: control.signal })));
}

function reasons({ reasons: codes }: Tally): string {
  const all = Object.entries(codes).map(([code, count]) => `${code} ${count}`);
  return all.length === 0 ? '' : ` (${all.join(', ')})`;
}
