/** Changes of alerts as rows with ids that come from data alone, and what people change. Alerts and the API share it. */
import { createHash } from 'node:crypto';
import { AuditError } from '../core/errors.ts';
import type { AlertFacts, TransitionRow } from '../schemas/alert.ts';
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
export function eventFilter({ subject: { name, value } }: Pick<AlertFacts, 'subject'>): Readonly<Record<string, unknown>> {
  if (name === 'topic') return { topic: { in: [value.slice(0, value.lastIndexOf('/'))] } };
  return name === 'clientAddress' ? { clientAddress: { in: [value] }, status: { in: [401, 403] } } : { consumer: { in: [value] } };
}
