/** The tests that stand in rule documents: as plain calls, and judged by the plainest possible reading of a rule. */
import { parse } from 'yaml';

export interface Call {
  /** Milliseconds since the test began. */
  readonly at: number;
  readonly client_address: string;
  readonly consumer_name: string;
  readonly status: number;
}
export interface RuleCase {
  readonly name: string;
  readonly calls: readonly Call[];
  readonly plans: ReadonlyMap<string, number>;
  readonly findings: boolean;
}
interface Written {
  readonly name: string;
  readonly given: Given | readonly Given[];
  readonly plans?: Readonly<Record<string, number>>;
  readonly expect: { readonly findings: boolean };
}
interface Given {
  readonly after?: string;
  readonly every: string;
  readonly count: number;
  readonly client_address?: string;
  readonly consumer_name?: string;
  readonly status?: number;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };
const span = (text: string) => Number.parseInt(text, 10) * (units[text.replace(/^\d+/, '')] ?? Number.NaN);

/** Of a rule's own document, as text. */
export function casesOf(document: string): RuleCase[] {
  const { gw } = parse(document) as { gw: { tests: Written[] } }; // a rule that was read
  return gw.tests.map(({ name, given, plans, expect }) => ({
    name,
    calls: [given].flat().flatMap(callsOf),
    plans: new Map(Object.entries(plans ?? {})),
    findings: expect.findings,
  }));
}

function callsOf({ after = '0s', every, count, client_address = '198.51.100.1', consumer_name = '', status = 200 }: Given): Call[] {
  return Array.from({ length: count }, (_, index) => ({ at: span(after) + index * span(every), client_address, consumer_name, status }));
}

/** Whether more than the plan of a consumer falls into one minute that ends at a call. */
export function breachesRate(calls: readonly Call[], plans: ReadonlyMap<string, number>, otherwise: number): boolean {
  return [...new Set(calls.map(({ consumer_name }) => consumer_name))].some((consumer) => {
    const times = calls.filter((call) => call.consumer_name === consumer).map(({ at }) => at);
    times.sort((one, other) => one - other);
    const most = plans.get(consumer) ?? otherwise;
    // One call more than is allowed, within less than a minute.
    return consumer !== '' && times.some((at, index) => (times[index + most] ?? Infinity) < at + 60_000);
  });
}

/** Whether of the calls of an address in ten minutes twenty and surely a half are refused (Wilson, 95 %). */
export function breachesAuthentication(calls: readonly Call[]): boolean {
  return calls.some((last) => {
    const window = calls.filter((call) => call.client_address === last.client_address && call.at > last.at - 600_000 && call.at <= last.at);
    const refused = window.filter(({ status }) => status === 401 || status === 403).length;
    const [n, share, z] = [window.length, refused / window.length, 1.96];
    const lower = (share + z ** 2 / (2 * n) - z * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2))) / (1 + z ** 2 / n);
    return refused >= 20 && n >= 20 && lower >= 0.5;
  });
}
