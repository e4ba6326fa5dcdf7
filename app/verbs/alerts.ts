/** `gatetrail alerts`: rules, alerts and mails. */
import { openAlerts } from '../alerts.ts';
import { runRole } from '../role.ts';
import { configOf, type Verb } from '../verb.ts';

const alerts: Verb = {
  description: 'runs the role alerts alone: rules, alerts and mails',
  options: { '--port <N>': 'where it listens' },
  run: (flags) => runRole('alerts', configOf(flags), openAlerts),
};
export default alerts;
