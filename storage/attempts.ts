/** Tries to sign in by address: after ten failures in a minute none more, and of many at once no more are tried than may still fail. */
import type { Clock } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';

export interface Attempts {
  /** Resolves when a try may begin, with what must be called at its end. @throws RATE_LIMITED */
  begin(address: string): Promise<(hasFailed: boolean) => void>;
  /** Counts a failure of what needed no leave to begin. @throws RATE_LIMITED, and counts nothing, where there were enough */
  failed(address: string): void;
}

interface Tries {
  /** Milliseconds, the oldest first. */
  failures: number[];
  underWay: number;
  waiting: (() => void)[];
}

const maxFailures = 10;
const spanMs = 60_000;
const maxAddresses = 10_000;

export function createAttempts(clock: Clock): Attempts {
  const byAddress = new Map<string, Tries>();

  function triesOf(address: string): Tries {
    const tries = byAddress.get(address) ?? { failures: [], underWay: 0, waiting: [] };
    tries.failures = tries.failures.filter((at) => at > clock.now() - spanMs);
    if (byAddress.size > maxAddresses) byAddress.clear(); // tries under way hold their own
    byAddress.set(address, tries);
    return tries;
  }

  function end(tries: Tries, hasFailed: boolean): void {
    tries.underWay -= 1;
    if (hasFailed) tries.failures.push(clock.now());
    for (const next of tries.waiting.splice(0)) next();
  }

  /** @throws RATE_LIMITED */
  function open(address: string): Tries {
    const tries = triesOf(address);
    const [oldest] = tries.failures;
    if (oldest !== undefined && tries.failures.length >= maxFailures) throw limited(oldest + spanMs - clock.now());
    return tries;
  }

  return {
    failed: (address) => void open(address).failures.push(clock.now()),
    async begin(address) {
      for (;;) {
        const tries = open(address);
        if (tries.failures.length + tries.underWay < maxFailures) {
          tries.underWay += 1;
          return (hasFailed) => end(tries, hasFailed);
        }
        await new Promise<void>((resolve) => tries.waiting.push(resolve));
      }
    },
  };
}

const limited = (retryAfterMs: number) =>
  new AuditError('RATE_LIMITED', 'Ten requests from this address came without a valid key or link within a minute', {
    facts: { retryAfterMs },
  });
