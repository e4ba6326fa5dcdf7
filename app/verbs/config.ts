/** `gatetrail config check|print|reference` */
import { stringify } from 'yaml';
import { describeFault, type Fault, type Loaded, printable } from '../config.ts';
import { faultsOfFiles } from '../named-files.ts';
import { configReference } from '../reference.ts';
import { configOf, exitCodes, note, print, read, type Verb } from '../verb.ts';

const config: Verb = {
  description: 'checks the configuration, prints it with secrets masked, or prints its reference',
  arguments: ['<check|print|reference>'],
  async run(flags, [what]) {
    if (what === 'check') return check(flags['json'] === true, await faultsOf(read(flags)));
    if (what === 'print') print(flags['json'] === true ? printable(configOf(flags)) : stringify(printable(configOf(flags))).trimEnd());
    else if (what === 'reference') print(configReference());
    else {
      note(`expected check, print or reference, ${what} came`);
      return exitCodes.usage;
    }
    return 0;
  },
};
export default config;

/** Of a configuration that is good itself, those of the files that it names. */
const faultsOf = async ({ config: read, faults }: Loaded): Promise<readonly Fault[]> => (read === null ? faults : faultsOfFiles(read));

function check(json: boolean, faults: readonly Fault[]): number {
  for (const fault of faults) print(json ? fault : describeFault(fault));
  if (!json) print(faults.length === 0 ? 'The configuration is good.' : `${faults.length} fault(s).`);
  return faults.length === 0 ? 0 : exitCodes.usage;
}
