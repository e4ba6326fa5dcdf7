/** The mail of one or more alerts of one rule. Every value is a stranger's: escaped in HTML, stripped in lines of text. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Eta } from 'eta';
import type { AlertFacts, NotificationKind } from '../schemas/alert.ts';
import type { RuleDocument } from '../schemas/rule.ts';
import type { Rule } from '../sigma/document.ts';
import type { AlertView } from '../storage/alerts.ts';
import type { Message } from './channel.ts';
import type { Evidence } from './evidence.ts';
import { stepMs } from './compile/rule.ts';
import { spanText } from './life-cycle.ts';

export interface AlertInMail {
  readonly facts: AlertView;
  readonly evidence: Evidence;
  readonly link: string;
}

export interface MailInput {
  readonly kind: NotificationKind;
  /** One that was read from a document judges requests; what is built in watches the pipeline itself. */
  readonly rule: Rule | RuleDocument;
  readonly alerts: readonly AlertInMail[];
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
  const { rule, kind, alerts, domain } = input;
  const [first] = alerts;
  if (!first) throw new Error('a mail speaks of at least one alert');
  const state = kind === 'RESOLVED' ? 'RESOLVED' : 'FIRING';
  const day = new Date(first.facts.startedAt).toISOString().slice(0, 10);
  const subject = subjectOf(state, input.prefix, first.facts, {
    ...(judgesRequests(rule) && { span: spanText(rule.timespanMs) }),
    others: alerts.length - 1,
  });
  const facts: Facts = {
    subject,
    state,
    remark: kind === 'REPEAT' ? 'Still firing. This comes every four hours until somebody acknowledges it.' : '',
    alerts: alerts.map((alert) => shown(alert, judgesRequests(rule))),
    next: nextStep(rule, state),
    colour: state === 'RESOLVED' ? '#1a7f4b' : '#c0362c',
    about: aboutOf(rule),
  };
  return {
    messageId: `<${first.facts.id}.${input.rowId.slice(0, 24)}@${domain}>`,
    thread: `<${first.facts.fingerprint}.${day}@${domain}>`,
    listId: `rule-${rule.id}.alerts.${domain}`,
    listName: oneLine(rule.title, 60).replaceAll(/[^\w -]/g, ''),
    to: input.recipient,
    subject,
    text: textOf(facts),
    html: eta.renderString(readTemplate(), facts),
  };
}

/** The figures are those of the first firing, so that both mails of an alert have the same tail. At most 78 characters. */
export function subjectOf(
  state: 'FIRING' | 'RESOLVED',
  prefix: string,
  facts: AlertFacts,
  { span, others = 0 }: { span?: string; others?: number },
): string {
  const head = prefix === '' ? '' : `${oneLine(prefix, 16)}: `;
  const figure = span === undefined ? `${facts.value} ${facts.measure}` : `${facts.value} in ${span} (limit ${facts.threshold})`;
  const tail = `${others > 0 ? ` +${others}` : ''} - ${figure}`;
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
  readonly subject: string;
  readonly state: string;
  readonly remark: string;
  readonly alerts: readonly ReturnType<typeof shown>[];
  readonly next: string;
  readonly colour: string;
  readonly about: readonly (readonly [name: string, words: string])[];
}

const judgesRequests = (rule: Rule | RuleDocument): rule is Rule => 'timespanMs' in rule;

/** One alert in words that both parts of the mail use. */
function shown({ facts, evidence, link }: AlertInMail, hasRequests: boolean) {
  const { severity, title, value, measure, threshold, late } = facts;
  const ended = facts.resolvedAt === null ? '' : `, ended ${timeOf(facts.resolvedAt)} UTC`;
  const gateways = evidence.gateways === '' ? '' : `, gateway ${oneLine(evidence.gateways, 120)}`;
  return {
    severity,
    title,
    value,
    measure,
    threshold,
    link,
    who: oneLine(facts.subject.value, 200),
    where: [
      `Since ${timeOf(facts.startedAt)} UTC${ended}${late ? ', found in late data' : ''}`,
      `Tenant ${oneLine(facts.tenant, 80)}${gateways}`,
    ],
    soFar: hasRequests
      ? `${evidence.requests} requests so far, over the limit until ${timeOf(facts.lastSeenAt + stepMs)} UTC.`
      : oneLine(facts.summary, 400),
    // Of the bar: how much of it is allowed.
    share: Math.max(1, Math.min(99, Math.round((100 * threshold) / Math.max(value, threshold, 1)))),
    rows: evidence.samples.map((sample) =>
      [sample.at, `${sample.method} ${sample.route}`, String(sample.status ?? ''), sample.network, sample.agent].map(
        (cell) => oneLine(cell, 120) || '-',
      ),
    ),
    contributors: evidence.contributors.map(({ name, requests }) => ({ name: oneLine(name, 120), requests })),
  };
}

const timeOf = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

function nextStep(rule: Rule | RuleDocument, state: string): string {
  if (!judgesRequests(rule))
    return 'Let the topic keep its records longer (retention.ms, retention.bytes), or let more processes ingest. Gateways that still have their logs can send them again: gatetrail import.';
  if (state === 'RESOLVED') return 'Nothing, unless you want to know why it happened: the link shows the requests.';
  return rule.groupBy === 'client_address'
    ? 'Look whether one of the attempts succeeded. Block the address at the gateway if it is not one of yours.'
    : 'Ask the owner of the consumer whether this is meant. Lower its rate at the gateway, or give it a larger plan.';
}

function aboutOf(rule: RuleDocument): (readonly [string, string])[] {
  const about: (readonly [string, string])[] = [
    ['Rule:', `${rule.title}. ${rule.description}`],
    ['Known harmless causes:', rule.falsePositives.join('; ') || 'none known'],
    ['Owner:', `${rule.owner || 'nobody'}, written by ${rule.author || 'unknown'}`],
    ['Tags:', [...rule.tags, ...rule.references].join(', ') || 'none'],
  ];
  return about.map(([name, words]) => [name, oneLine(words, 400)]);
}

/** Complete in itself. */
function textOf({ state, remark, alerts, next, about }: Facts): string {
  const parts = alerts.map((alert) => {
    const lines = [
      `${alert.severity} ${state}`,
      ...(remark === '' ? [] : [remark]),
      `${alert.title} of ${alert.who}`,
      ...alert.where,
      '',
      `${alert.value} ${alert.measure}, limit ${alert.threshold}`,
      barOf(alert.share),
      alert.soFar,
    ];
    if (alert.rows.length > 0) {
      lines.push('', 'Sample requests (UTC, masked)', ...alert.rows.map((row) => `  ${row.join('  ')}`));
      lines.push('', 'Most of it', ...alert.contributors.map(({ name, requests }) => `  ${name}: ${requests} requests`));
    }
    return [...lines, '', `The requests behind it: ${alert.link}`].join('\n');
  });
  const foot = about.map(([name, words]) => `${name} ${words}`).join('\n');
  return `${parts.join('\n\n----\n\n')}\n\nWhat to do next: ${next}\n\n${foot}\n`;
}

/** What is allowed, the limit, and what is beyond it. */
function barOf(share: number): string {
  const allowed = Math.round((share * 40) / 100);
  return `${'-'.repeat(allowed)}|${'#'.repeat(40 - allowed)}`;
}
