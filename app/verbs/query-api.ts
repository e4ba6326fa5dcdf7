/** `gatetrail query-api 'GRAPHQL'`: one operation. */
import { AuditError } from '../../core/errors.ts';
import { call, headersOf, serviceOptions, withService } from '../service.ts';
import { exitCodes, print, text, type Verb } from '../verb.ts';

const queryApi: Verb = {
  description: 'runs one GraphQL operation and prints the response',
  arguments: ['<GRAPHQL>'],
  options: { '--variables <JSON>': 'its variables', ...serviceOptions },
  async run(flags, [query]) {
    const variables = readVariables(text(flags, 'variables'));
    const answer = (await withService(flags, (service) =>
      call(service, '/graphql', JSON.stringify({ query, variables }), headersOf(flags)),
    )) as {
      errors?: unknown;
    };
    print(flags['json'] === true ? answer : JSON.stringify(answer, null, 2));
    return answer.errors === undefined ? 0 : exitCodes.failed;
  },
};
export default queryApi;

function readVariables(json: string | undefined): unknown {
  try {
    return json === undefined ? {} : JSON.parse(json);
  } catch (error) {
    throw new AuditError('BAD_USER_INPUT', `--variables must be a JSON object, ${JSON.stringify(json?.slice(0, 60))} came`, {
      cause: error,
    });
  }
}
