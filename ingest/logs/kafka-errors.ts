/** What a client of Kafka throws, as errors of the catalogue. */
import { AuditError, messageOf } from '../../core/errors.ts';

export async function named<Result>(topics: readonly string[], work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw toAuditError(error, topics);
  }
}

export function toAuditError(error: unknown, topics: readonly string[]): AuditError {
  const own = causes(error).find((one) => one instanceof AuditError);
  if (own !== undefined) return own;
  const type = protocolType(error);
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    return new AuditError('TOPIC_MISSING', `Kafka has no topic ${topics.join(' or ')}; create it, it is not created by itself`, {
      cause: error,
    });
  }
  if (type === 'MESSAGE_TOO_LARGE') {
    return new AuditError('PAYLOAD_TOO_LARGE', `A message is larger than the topic ${topics.join(', ')} takes (max.message.bytes)`, {
      cause: error,
    });
  }
  return new AuditError('LOG_UNAVAILABLE', `Kafka does not answer as expected: ${messageOf(error)}`, { cause: error });
}

/** The protocol's name of an error. */
function protocolType(error: unknown): string | undefined {
  return causes(error)
    .map((one) => ('type' in one && typeof one.type === 'string' ? one.type : undefined))
    .find((type) => type !== undefined);
}

/** The error and what is inside the wrappers that retries put around it. */
function causes(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : [];
}
