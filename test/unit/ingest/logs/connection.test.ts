import { expect, test } from 'vitest';
import { connected, oneAtATime } from '../../../../ingest/logs/connection.ts';

const patience = 10_000;
const never = () => new Promise<never>(() => {});

/** Clients by number, in the order in which they were made; `disconnecting` is what each answers when it is told to end. */
function clients({ refused = 0, disconnecting = async () => {} }: { refused?: number; disconnecting?: () => Promise<void> } = {}) {
  const seen: string[] = [];
  let made = 0;
  const make = () => {
    const number = (made += 1);
    return {
      number,
      async connect() {
        seen.push(`connect ${number}`);
        if (number <= refused) throw new Error('refused');
      },
      disconnect() {
        seen.push(`disconnect ${number}`);
        return disconnecting();
      },
    };
  };
  return { make, seen };
}

test('a connection is made at its first use, once', async () => {
  const { make, seen } = clients();
  const get = connected(make);
  expect(seen).toEqual([]);
  const [one, other] = await Promise.all([get(), get()]);
  expect(one).toBe(other);
  expect(seen).toEqual(['connect 1']);
});

test('a connection that failed is tried anew by the next caller', async () => {
  const get = connected(clients({ refused: 1 }).make);
  await expect(get()).rejects.toThrow('refused');
  expect((await get()).number).toBe(2);
});

test('closing ends what was connected, and connects nothing for it', async () => {
  const { make, seen } = clients();
  await connected(make).close();
  expect(seen).toEqual([]);
  const get = connected(make);
  await get();
  await get.close();
  expect(seen).toEqual(['connect 1', 'disconnect 1']);
});

test('work waits for the work before it', async () => {
  const one = oneAtATime(connected(clients().make), patience);
  const order: string[] = [];
  const step = (name: string, ms: number) =>
    one(async () => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, ms));
      order.push(`${name} ends`);
    });
  await Promise.all([step('slow', 20), step('quick', 0)]);
  expect(order).toEqual(['slow begins', 'slow ends', 'quick begins', 'quick ends']);
});

test('a failure ends the client, and the next work has another', async () => {
  const { make, seen } = clients();
  const one = oneAtATime(connected(make), patience);
  await expect(one(() => Promise.reject(new Error('the broker is gone')))).rejects.toThrow('the broker is gone');
  expect(await one(async ({ number }) => number)).toBe(2);
  expect(seen).toEqual(['connect 1', 'disconnect 1', 'connect 2']);
});

test('a client that never ends holds up neither the error nor what comes next', async () => {
  const one = oneAtATime(connected(clients({ disconnecting: never }).make), patience);
  await expect(one(() => Promise.reject(new Error('the broker is gone')))).rejects.toThrow('the broker is gone');
  expect(await one(async ({ number }) => number)).toBe(2);
});

test('work that takes too long has failed, and what waited behind it has another client', async () => {
  const { make, seen } = clients();
  const one = oneAtATime(connected(make), 20);
  const standing = one(never);
  const next = one(async ({ number }) => number);
  await expect(standing).rejects.toThrow('no answer within 0.02 s');
  expect(await next).toBe(2);
  expect(seen).toEqual(['connect 1', 'disconnect 1', 'connect 2']);
});
