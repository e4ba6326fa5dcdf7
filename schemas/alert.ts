/** Words of the alert life cycle; the same names stand in the tables and in GraphQL. */
import type { AlertState, RuleState, Severity } from './api.ts';

export type { AlertState, RuleState, Severity };
/** Of the rest those that come about. */
export type AlertChange = 'OPENED' | 'FIRED' | 'ACKNOWLEDGED' | 'RESOLVED' | 'LAPSED';
export type NotificationKind = 'FIRING' | 'REPEAT' | 'RESOLVED';
export type NotificationStatus = 'QUEUED' | 'SENT' | 'RETRYING' | 'FAILED' | 'GROUPED';

/** Fields of AuditEventFilter; an event counts when it has one of the values of each. */
export interface AlertSelection {
  readonly status?: { readonly in: readonly number[] };
  readonly method?: { readonly in: readonly string[] };
}

/** What an alert is, as it stood when it opened. Times are milliseconds. */
export interface AlertFacts {
  readonly id: string;
  readonly fingerprint: string;
  readonly tenant: string;
  readonly ruleId: string;
  readonly ruleVersion: string;
  readonly severity: Severity;
  readonly title: string;
  readonly summary: string;
  /** Name as in AuditEventFilter, for instance consumer. */
  readonly subject: { readonly name: string; readonly value: string };
  /** Which of its events count; `selectionOf` says what holds where it is absent. */
  readonly selection?: AlertSelection;
  readonly startedAt: number;
  readonly measure: string;
  readonly value: number;
  readonly threshold: number;
  /** First moment whose events count. */
  readonly eventsFrom: number;
  readonly late: boolean;
}

export interface TransitionRow {
  readonly id: string;
  readonly at: number;
  readonly kind: AlertChange;
  readonly from: AlertState;
  readonly to: AlertState;
  readonly reason: string;
  readonly actor: string;
  readonly note: string;
  readonly alert: AlertFacts;
}

export interface FindingRow {
  readonly id: string;
  readonly alertId: string;
  readonly fingerprint: string;
  readonly tenant: string;
  readonly ruleId: string;
  readonly ruleVersion: string;
  readonly group: string;
  readonly bucket: number;
  readonly firstEvent: number;
  readonly value: number;
  readonly threshold: number;
  readonly events: number;
  readonly late: boolean;
}

export interface OutboxRow {
  readonly id: string;
  readonly transitionId: string;
  readonly alertId: string;
  readonly tenant: string;
  readonly ruleId: string;
  readonly kind: NotificationKind;
  readonly channel: string;
  readonly recipient: string;
  readonly status: NotificationStatus;
  readonly queuedAt: number;
  /** When it may be tried. */
  readonly dueAt: number;
  readonly sentAt: number | null;
  readonly attempts: number;
  readonly messageId: string;
  readonly lastError: string;
  readonly reason: string;
  readonly lead: string;
  readonly version: number;
}

export interface CursorRow {
  readonly ruleId: string;
  readonly ruleVersion: string;
  readonly evaluatedTo: number;
  /** Where new data begins, in the words of the watermark. */
  readonly mark: string;
  /** What the state machine remembers, as JSON. */
  readonly memory: string;
  readonly state: RuleState;
  readonly detail: string;
  readonly durationMs: number;
  readonly savedAt: number;
  readonly version: number;
}
