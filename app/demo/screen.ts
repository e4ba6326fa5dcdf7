/** What a person at a terminal sees, once a second: events by gateway, the last requests, the alerts. Asked through the API. */
import { call, type Service } from '../service.ts';
import type { SeenMail } from './mails.ts';

interface View {
  readonly facets: readonly { readonly values: readonly { readonly value: string | null; readonly count: number }[] }[] | null;
  readonly auditEvents: { readonly nodes: readonly Row[] } | null;
}

interface Row {
  readonly timestamp: string;
  readonly gateway: { readonly name: string | null };
  readonly request: { readonly method: string | null; readonly path: string | null };
  readonly response: { readonly status: number | null };
  readonly principal: { readonly consumerName: string | null };
  readonly client: { readonly address: string | null };
}

const query = `{
  facets(range: {relative: "PT1H"}, dimensions: [GATEWAY]) { values { value count } }
  auditEvents(range: {relative: "PT1H"}, first: 8) {
    nodes { timestamp gateway { name } request { method path } response { status } principal { consumerName } client { address } }
  }
}`;

export function startScreen({ service, mails }: { readonly service: Service; readonly mails: readonly SeenMail[] }): () => void {
  process.stdout.write('\n'.repeat(22));
  const draw = async () => {
    const { data } = (await call(service, '/graphql', JSON.stringify({ query }), { 'content-type': 'application/json' })) as {
      data: View | null;
    };
    if (data === null) return;
    const lines = [...gateways(data), '', ...requests(data), '', ...alerts(mails)].slice(0, 21);
    // Up to the first line of the screen, each line cleared to its end.
    process.stdout.write(
      `\u001B[22A${[...lines, ...Array.from({ length: 22 - lines.length }, () => '')].map((line) => `\u001B[2K${line.slice(0, (process.stdout.columns || 100) - 1)}`).join('\n')}\n`,
    );
  };
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const again = async () => {
    await draw().catch(() => {}); // the next second draws again
    if (!ended) timer = setTimeout(() => void again(), 1_000); // after the answer: a slow machine is not asked faster than it answers
  };
  void again();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

function gateways({ facets }: View): string[] {
  const values = facets?.[0]?.values ?? [];
  const most = Math.max(1, ...values.map(({ count }) => count));
  return [
    'EVENTS BY GATEWAY',
    ...values.map(
      ({ value, count }) => `${(value ?? '-').padEnd(16)} ${String(count).padStart(7)} ${'█'.repeat(Math.round((count / most) * 30))}`,
    ),
  ];
}

function requests({ auditEvents }: View): string[] {
  const rows = (auditEvents?.nodes ?? []).map(
    ({ timestamp, gateway, request, response, principal, client }) =>
      `${timestamp.slice(11, 23)} ${(gateway.name ?? '-').padEnd(14)} ${(request.method ?? '-').padEnd(5)} ${String(response.status ?? '-')} ${(request.path ?? '-').padEnd(34)} ${principal.consumerName ?? client.address ?? '-'}`,
  );
  return ['LAST REQUESTS', ...rows];
}

function alerts(mails: readonly SeenMail[]): string[] {
  return ['ALERT MAILS', ...(mails.length === 0 ? ['none yet'] : mails.slice(-4).map(({ subject }) => subject))];
}
