/** Commits offsets of a group that has no members, as a foreign tool does. `setOffsets` of kafkajs joins the group for it, which takes 5 s. */
import kafkajs from 'kafkajs';

interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  findGroupCoordinator(group: { groupId: string }): Promise<{ offsetCommit(request: object): Promise<unknown> }>;
}

export async function setOffsets(
  brokers: string[],
  { groupId, topic, partitions }: { groupId: string; topic: string; partitions: readonly { partition: number; offset: string }[] },
): Promise<void> {
  const client = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  const create = Object.getOwnPropertySymbols(client).find(({ description }) => description === 'private:Kafka:createCluster');
  if (create === undefined) throw new Error('kafkajs has no createCluster any more');
  const cluster = (client as unknown as Record<symbol, (options: object) => Cluster>)[create]?.({ metadataMaxAge: 60_000 });
  await cluster?.connect();
  try {
    const coordinator = await cluster?.findGroupCoordinator({ groupId });
    await coordinator?.offsetCommit({ groupId, groupGenerationId: -1, memberId: '', topics: [{ topic, partitions }] });
  } finally {
    await cluster?.disconnect();
  }
}
