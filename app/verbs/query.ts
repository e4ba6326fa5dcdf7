/** `gatetrail query`: GraphQL, and the intake beside it. */
import { openQuery } from '../query.ts';
import { runRole } from '../role.ts';
import { configOf, type Verb } from '../verb.ts';

const query: Verb = {
  description: 'runs the role query alone: GraphQL and the intake',
  options: { '--port <N>': 'where it listens' },
  run: (flags) => runRole('query', configOf(flags), openQuery),
};
export default query;
