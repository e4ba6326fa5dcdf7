/** `gatetrail dead-letters list|replay`: what could not be read and why; reads it again after a mend. */
import { systemClock } from '../../core/clock.ts';
import { AuditError } from '../../core/errors.ts';
import { call, headersOf, type Service, serviceOptions, withService } from '../service.ts';
import { rangeIn, rangeOptions } from '../time-range.ts';
import { exitCodes, type Flags, note, print, text, type Verb } from '../verb.ts';

interface Letter {
  readonly receivedAt: string;
  readonly position: { readonly topic: string; readonly partition: number; readonly offset: number; readonly index: number };
  readonly code: string;
  readonly path: string | null;
  readonly message: string;
  readonly detectedFormat: string | null;
  readonly replayable: boolean;
  readonly replayedAt: string | null;
}

interface Page {
  readonly nodes: readonly Letter[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly codes?: readonly { readonly value: string; readonly count: number }[];
}

interface Replayed {
  readonly matched: number;
  readonly replayed: number;
  readonly rejectedAgain: number;
  readonly userErrors: readonly { readonly message: string }[];
}

const deadLetters: Verb = {
  description: 'shows what could not be read and why, or reads it again after a mend',
  arguments: ['<list|replay>'],
  options: {
    ...rangeOptions,
    '--code <CODE>': 'only those of this reason, for instance UNKNOWN_FORMAT',
    '--topic <NAME>': 'only those of this topic',
    '--dry-run': 'reads again, stores nothing and counts what would be',
    ...serviceOptions,
  },
  async run(flags, [what = '']) {
    if (what !== 'list' && what !== 'replay') throw new AuditError('BAD_USER_INPUT', `expected dead-letters list or replay, ${what} came`);
    const { from, to } = rangeIn(flags, systemClock.now());
    const [code, topic] = [text(flags, 'code'), text(flags, 'topic')];
    const wanted = {
      range: { absolute: { from: new Date(from).toISOString(), to: new Date(to).toISOString() } },
      filter: { ...(code !== undefined && { codes: [code] }), ...(topic !== undefined && { topics: [topic] }) },
    };
    return withService(flags, (service) => (what === 'list' ? list(service, flags, wanted) : replay(service, flags, wanted)));
  },
};
export default deadLetters;

const listQuery = (withCodes: boolean) => `query ($range: TimeRange!, $filter: DeadLetterFilter, $after: String) {
  answer: deadLetters(range: $range, filter: $filter, first: 1000, after: $after) {
    nodes { id receivedAt tenant position { topic sourceEpoch partition offset index } code path message detectedFormat excerpt bytes sha256 replayable replayedAt }
    pageInfo { hasNextPage endCursor }
    ${withCodes ? 'codes { value count }' : ''}
  }
}`;

async function list(service: Service, flags: Flags, wanted: object): Promise<number> {
  let codes: Page['codes'] = [];
  for (let after: string | null = null, isFirst = true; isFirst || after !== null; isFirst = false) {
    const page: Page = await ask<Page>(service, flags, listQuery(isFirst), { ...wanted, after });
    codes = page.codes ?? codes;
    for (const letter of page.nodes) print(flags['json'] === true ? letter : lineOf(letter));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  }
  if (flags['json'] !== true) for (const { value, count } of codes) print(`${String(count).padStart(8)} ${value}`);
  return 0;
}

function lineOf({ receivedAt, position, code, path, message, detectedFormat, replayable, replayedAt }: Letter): string {
  const { topic, partition, offset, index } = position;
  const state = replayedAt !== null ? 'replayed' : replayable ? 'in the log or kept' : 'gone';
  const where = path === null ? '' : ` at ${path}`;
  return [receivedAt, `${topic}/${partition}@${offset}.${index}`, code, detectedFormat ?? '-', state, `${message}${where}`].join('  ');
}

const replayQuery = `mutation ($range: TimeRange!, $filter: DeadLetterFilter, $dryRun: Boolean) {
  answer: replayDeadLetters(range: $range, filter: $filter, dryRun: $dryRun) { matched replayed rejectedAgain userErrors { message } }
}`;

const perCall = 10_000;

/** Called until each has had its turn: those that were tried come last. A dry run leaves no trace of what was tried, so it is one call. */
async function replay(service: Service, flags: Flags, wanted: object): Promise<number> {
  const isDry = flags['dryRun'] === true;
  const total = { matched: 0, replayed: 0, rejectedAgain: 0 };
  for (let left = 1; left > 0; left -= perCall) {
    const answer = await ask<Replayed>(service, flags, replayQuery, { ...wanted, dryRun: isDry });
    if (total.matched === 0) {
      total.matched = answer.matched;
      left = isDry ? 1 : answer.matched;
    }
    total.replayed += answer.replayed;
    total.rejectedAgain += answer.rejectedAgain;
    for (const { message } of answer.userErrors) note(message);
  }
  print(flags['json'] === true ? total : sentenceOf(total, isDry));
  return total.replayed === total.matched ? 0 : exitCodes.findings;
}

function sentenceOf({ matched, replayed, rejectedAgain }: Omit<Replayed, 'userErrors'>, isDry: boolean): string {
  const others = matched - replayed - rejectedAgain;
  return `${matched} dead letter(s): ${replayed} ${isDry ? 'would be ' : ''}stored, ${rejectedAgain} rejected again, ${others} not read`;
}

async function ask<Answer>(service: Service, flags: Flags, query: string, variables: object): Promise<Answer> {
  const { data, errors } = (await call(service, '/graphql', JSON.stringify({ query, variables }), headersOf(flags))) as {
    data?: { answer: Answer | null } | null;
    errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
  };
  const [error] = errors ?? [];
  if (error !== undefined || !data?.answer)
    throw new AuditError((error?.extensions?.code ?? 'INTERNAL') as 'INTERNAL', error?.message ?? 'the service gave no answer');
  return data.answer;
}
