/** What carries a notification to one recipient. */

/** A mail, complete: headers that thread it included. */
export interface Message {
  readonly messageId: string;
  readonly thread: string;
  readonly listId: string;
  readonly listName: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}
/** `again`: it may work later. `never`: this recipient will not take it. */
export type Delivery = { readonly outcome: 'sent' } | { readonly outcome: 'again' | 'never'; readonly error: string };
export interface Channel {
  readonly name: string;
  readonly recipients: readonly string[];
  /** Never throws for what the other side does. */
  send(message: Message): Promise<Delivery>;
  /** Whether the other side would take something now. @throws MAIL_UNAVAILABLE */
  check(): Promise<void>;
  /** Ends a delivery under way too: it is tried again, as the same mail. */
  close(): void;
}
