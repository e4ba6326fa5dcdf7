/** What the API needs of alerts. The alerts side implements it; fields are those of the schema, times milliseconds. */
export interface AlertsView {
  list(
    tenants: readonly string[],
    query: { from: number; to: number; filter: Readonly<Record<string, unknown>> | null; first: number; after: string | null },
  ): Promise<unknown>;
  find(tenants: readonly string[], id: string): Promise<unknown>;
  rules(filter: Readonly<Record<string, unknown>> | null): Promise<readonly unknown[]>;
  acknowledge(tenants: readonly string[], id: string, by: { actor: string; note: string | null }): Promise<unknown>;
}
