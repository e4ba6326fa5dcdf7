/** Changes of alerts as rows with ids that come from data alone, and what people change. Alerts and the API share it. */
import { createHash } from 'node:crypto';
import { AuditError } from '../core/errors.ts';
import type { AlertFacts, AlertSelection, TransitionRow } from '../schemas/alert.ts';
import type { AlertStore, AlertView } from './alerts.ts';

export function transition(alert: AlertFacts, change: Omit<TransitionRow, 'id' | 'alert'>): TransitionRow {
  return { id: hash([alert.id, change.kind, change.to, change.at, change.actor]), alert, ...change };
}

export function hash(parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Stops repeats and names who took it; an alert that is over stays as it is. @throws NOT_FOUND */
export async function acknowledgeAlert(
  store: AlertStore,
  id: string,
  by: { tenants: readonly string[]; actor: string; note: string; at: number },
): Promise<AlertView> {
  const alert = await store.one(by.tenants, id);
  if (!alert) throw new AuditError('NOT_FOUND', `There is no alert ${id}, or it is not yours`);
  if (alert.state !== 'FIRING' && alert.state !== 'PENDING') return alert;
  const [first] = await store.transitions([alert.tenant], id);
  if (!first) return alert;
  const { actor, note, at } = by;
  await store.addTransitions([
    transition(first.alert, { at, kind: 'ACKNOWLEDGED', from: alert.state, to: 'ACKNOWLEDGED', reason: 'a person took it', actor, note }),
  ]);
  return (await store.one(by.tenants, id)) ?? alert;
}

/** A value of AuditEventFilter: the events that an alert is about. What was lost has none; its neighbours in the topic tell most. */
export function eventFilter(alert: Pick<AlertFacts, 'subject' | 'selection'>): Readonly<Record<string, unknown>> {
  const { name, value } = alert.subject;
  if (name === 'topic') return { topic: { in: [value.slice(0, value.lastIndexOf('/'))] } };
  return { [name]: { in: [value] }, ...selectionOf(alert) };
}

/** Which events of its subject count. Facts that do not say so are of rules that count refused requests by address, or all by consumer. */
export function selectionOf({ subject, selection }: Pick<AlertFacts, 'subject' | 'selection'>): AlertSelection {
  return selection ?? (subject.name === 'clientAddress' ? { status: { in: [401, 403] } } : {});
}
