/** The mail of one or more alerts of one rule. Every value is a stranger's: escaped in HTML, stripped in lines of text. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Eta } from 'eta';
import type { AlertFacts, NotificationKind } from '../schemas/alert.ts';
import type { Rule } from '../sigma/document.ts';
import type { Message } from './channel.ts';
import type { Evidence } from './evidence.ts';
import { spanText } from './life-cycle.ts';

export interface MailInput {
  readonly kind: NotificationKind;
  readonly rule: Rule;
  readonly alerts: readonly { readonly facts: AlertFacts; readonly evidence: Evidence; readonly link: string }[];
  /** Names the mail and, with the recipient, never changes when it is sent again. */
  readonly rowId: string;
  readonly recipient: string;
  readonly prefix: string;
  readonly domain: string;
}

const eta = new Eta({ autoEscape: true, cache: true });
const template = join(import.meta.dirname, 'templates', 'mail.eta');
const longest = 78;

export function renderMail(input: MailInput): Message {
  const [first] = input.alerts;
  if (!first) throw new Error('a mail speaks of at least one alert');
  const { rule } = input;
  const state = input.kind === 'RESOLVED' ? 'RESOLVED' : 'FIRING';
  const day = new Date(first.facts.startedAt).toISOString().slice(0, 10);
  const subject = subjectOf(state, input.prefix, first.facts, spanText(rule.timespanMs));
  const alerts = input.alerts.map(({ facts, evidence, link }) => ({
    ...facts,
    ...evidence,
    link,
    who: oneLine(facts.subject.value, 200),
    since: new Date(facts.startedAt).toISOString().slice(0, 19).replace('T', ' '),
  }));
  const next =
    state === 'RESOLVED'
      ? 'Nothing, unless you want to know why it happened: the link shows the requests.'
      : rule.groupBy === 'client_address'
        ? 'Look whether one of the attempts succeeded. Block the address at the gateway if it is not one of yours.'
        : 'Ask the owner of the consumer whether this is meant. Lower its rate at the gateway, or give it a larger plan.';
  const facts = {
    subject,
    state,
    alerts,
    next,
    colour: state === 'RESOLVED' ? '#1f8a4c' : '#c93636',
    harmless: rule.falsePositives.join('; ') || 'none known',
    author: rule.author || 'unknown',
    owner: rule.owner || 'nobody',
    tags: [...rule.tags, ...rule.references].join(', '),
  };
  const thread = `<${first.facts.fingerprint}.${day}@${input.domain}>`;
  return {
    messageId: `<${first.facts.id}.${input.rowId.slice(0, 24)}@${input.domain}>`,
    thread,
    listId: `rule-${rule.id}.alerts.${input.domain}`,
    listName: oneLine(rule.title, 60).replaceAll(/[^\w -]/g, ''),
    to: input.recipient,
    subject,
    text: textOf(facts),
    html: eta.renderString(readTemplate(), facts),
  };
}

/** The figures are those of the first firing, so that both mails of an alert have the same tail. At most 78 characters. */
export function subjectOf(state: 'FIRING' | 'RESOLVED', prefix: string, facts: AlertFacts, span: string): string {
  const head = prefix === '' ? '' : `${oneLine(prefix, 16)}: `;
  const tail = ` - ${facts.value} in ${span} (limit ${facts.threshold})`;
  // Room is measured against the longer state, or the two would be cut at different places.
  const room = longest - '[RESOLVED] '.length - head.length - tail.length;
  return `[${state}] ${head}${cut(`${oneLine(facts.title, 60)} of ${oneLine(facts.subject.value, 200)}`, room)}${tail}`;
}

/** Control and direction characters out, white space to single blanks. */
export function oneLine(text: string, length: number): string {
  return cut(
    text
      .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim(),
    length,
  );
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`;
}

let read: string | undefined;
function readTemplate(): string {
  return (read ??= readFileSync(template, 'utf8'));
}

interface Facts {
  readonly state: string;
  readonly alerts: readonly (AlertFacts & Evidence & { readonly who: string; readonly since: string; readonly link: string })[];
  readonly next: string;
  readonly harmless: string;
  readonly author: string;
  readonly owner: string;
  readonly tags: string;
}

function textOf(facts: Facts): string {
  const parts = facts.alerts.map((alert) => {
    const samples = alert.samples.map((sample) =>
      oneLine(`${sample.at}  ${sample.method} ${sample.route}  ${sample.status ?? '-'}  ${sample.network}  ${sample.agent}`, 200),
    );
    return `${alert.severity} ${facts.state}
${alert.title}: ${alert.who} (tenant ${alert.tenant})
${alert.value} ${alert.measure}, limit ${alert.threshold}
Since ${alert.since} UTC${alert.late ? ', found in late data' : ''}
${samples.length === 0 ? '' : `\nSample requests (UTC, masked)\n${samples.map((line) => `  ${line}`).join('\n')}\n`}${
      alert.contributors.length === 0
        ? ''
        : `\nMost of it\n${alert.contributors.map((each) => `  ${oneLine(each.name, 120)}: ${each.requests}`).join('\n')}\n`
    }
The requests behind it: ${alert.link}`;
  });
  return `${parts.join('\n\n----\n\n')}

What to do next: ${facts.next}

Known harmless causes: ${facts.harmless}
Rule by ${facts.author}, owner ${facts.owner}. ${facts.tags}
`;
}
