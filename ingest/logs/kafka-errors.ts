/** What a client of Kafka throws, as errors of the catalogue. */
import { AuditError, type ErrorCode, messageOf } from '../../core/errors.ts';

export interface Server {
  readonly brokers: readonly string[];
  readonly sasl?: { readonly mechanism: string; readonly username: string };
}

/** Gives what a call throws its name; `topics` are those that it was about. */
export type Named = <Result>(topics: readonly string[], work: () => Promise<Result>) => Promise<Result>;

export function namedFor(server: Server): Named {
  return async (topics, work) => {
    try {
      return await work();
    } catch (error) {
      throw toAuditError(error, topics, server);
    }
  };
}

export function toAuditError(error: unknown, topics: readonly string[], { brokers, sasl }: Server): AuditError {
  const own = causes(error).find((one) => one instanceof AuditError);
  if (own !== undefined) return own;
  const type = protocolType(error);
  const named = (code: ErrorCode, message: string) => new AuditError(code, message, { cause: error });
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION')
    return named('TOPIC_MISSING', `Kafka has no topic ${topics.join(' or ')}; create it, it is not created by itself`);
  if (type === 'MESSAGE_TOO_LARGE')
    return named('PAYLOAD_TOO_LARGE', `A message is larger than the topic ${topics.join(', ')} takes (max.message.bytes)`);
  const where = brokers.join(',');
  if (causes(error).some(({ name }) => name === 'KafkaJSSASLAuthenticationError')) {
    const who = sasl === undefined ? 'us without a user' : `the user ${sasl.username} by ${sasl.mechanism}`;
    const message = `Kafka at ${where} refused ${who}: ${messageOf(error)}. Mend kafka.sasl, kafka.user and kafka.password`;
    return named('SIGN_IN_REFUSED', message);
  }
  return named('LOG_UNAVAILABLE', `Kafka at ${where} does not answer as expected: ${messageOf(error)}`);
}

/** The broker that was asked does not lead the partition, or nobody leads it yet. */
export function leaderHasMoved(error: unknown): boolean {
  return ['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE'].includes(protocolType(error) ?? '');
}

/** Nobody said who coordinates the group: kafkajs takes that for final, though one connection that broke is enough. */
export function noBrokerAnswered(error: unknown): boolean {
  return causes(error).some(({ name }) => name === 'KafkaJSGroupCoordinatorNotFound');
}

/** The protocol's name of an error. */
export function protocolType(error: unknown): string | undefined {
  return causes(error)
    .map((one) => ('type' in one && typeof one.type === 'string' ? one.type : undefined))
    .find((type) => type !== undefined);
}

/** The error and what is inside the wrappers that retries put around it. */
function causes(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : [];
}
