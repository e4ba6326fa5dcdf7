/** Commits offsets of a group that has no members, as a foreign tool does. `setOffsets` of kafkajs joins the group for it, which takes 5 s. */
import kafkajs from 'kafkajs';
import { askCoordinator } from './coordinator.ts';

export async function setOffsets(
  brokers: string[],
  { groupId, topic, partitions }: { groupId: string; topic: string; partitions: readonly { partition: number; offset: string }[] },
): Promise<void> {
  const client = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  await askCoordinator(client, groupId, (coordinator) =>
    coordinator.offsetCommit({ groupId, groupGenerationId: -1, memberId: '', topics: [{ topic, partitions }] }),
  );
}
