/** Connections that are made at their first use. */
import { within } from '../../core/clock.ts';

export interface Connectable {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

export interface Connected<Client> {
  (): Promise<Client>;
  close(): Promise<void>;
  /** The next use makes another one. */
  forget(): void;
}

/** Connects once; a connection that failed is tried anew by the next caller. */
export function connected<Client extends Connectable>(make: () => Client): Connected<Client> {
  let ready: Promise<Client> | null = null;
  const get = () => {
    ready ??= (async () => {
      const client = make();
      await client.connect();
      return client;
    })().catch((error: unknown) => {
      ready = null;
      throw error;
    });
    return ready;
  };
  return Object.assign(get, { close: async () => (await ready)?.disconnect(), forget: () => (ready = null) });
}

/**
 * Work through one producer, one at a time, and each failure ends it. kafkajs gives the sequence numbers of a failed send
 * back, though the broker may have stored it: what took them next would be answered as a duplicate and never be stored.
 * Work that takes longer than `withinMs` has failed, so that a broker which stands still does not hold up what is for others.
 */
export function oneAtATime<Client extends Connectable>(producer: Connected<Client>, withinMs: number) {
  let last: Promise<unknown> = Promise.resolve();

  async function attempt<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
    const client = await producer();
    try {
      return await within(withinMs, work(client));
    } catch (error) {
      producer.forget();
      letGo(client);
      throw error;
    }
  }

  return <Result>(work: (client: Client) => Promise<Result>): Promise<Result> => {
    const turn = last.then(() => attempt(work));
    last = turn.catch(() => {});
    return turn;
  };
}

/** Not waited for: kafkajs waits for every answer that is due, and one of a broker that stands still does not come. */
export function letGo(client: Pick<Connectable, 'disconnect'>): void {
  client.disconnect().catch(() => {}); // whatever it says now changes nothing
}
