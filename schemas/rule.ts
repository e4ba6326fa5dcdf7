/** What a rule document says of itself, apart from what it looks for: the same for whoever judges rules and whoever shows them. */
import type { RuleKind, Severity } from './api.ts';

export type Level = 'informational' | 'low' | 'medium' | 'high' | 'critical';

export interface RuleDocument {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly kind: RuleKind;
  readonly level: Level;
  readonly status: string;
  readonly author: string;
  readonly owner: string;
  readonly tags: readonly string[];
  readonly references: readonly string[];
  readonly falsePositives: readonly string[];
  readonly source: string;
  /** Hash of the document as it stands. */
  readonly version: string;
  readonly document: string;
}

export const severities: Readonly<Record<Level, Severity>> = {
  informational: 'INFO',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  critical: 'CRITICAL',
};
