/** `gatetrail ingest`: from the log to ClickHouse. */
import { openIngest } from '../ingest.ts';
import { runRole } from '../role.ts';
import { configOf, type Verb } from '../verb.ts';

const ingest: Verb = {
  description: 'runs the role ingest alone: from the log to ClickHouse',
  options: { '--port <N>': 'where it listens' },
  run: (flags) => runRole('ingest', configOf(flags), openIngest),
};
export default ingest;
