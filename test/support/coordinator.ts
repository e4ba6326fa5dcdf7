/** What kafkajs has for the coordinator of a group, and no public call for. */
import type { Kafka } from 'kafkajs';

export interface Coordinator {
  joinGroup(member: object): Promise<unknown>;
  offsetCommit(request: object): Promise<unknown>;
}

interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  findGroupCoordinator(group: { groupId: string }): Promise<Coordinator>;
}

export async function askCoordinator(client: Kafka, groupId: string, ask: (coordinator: Coordinator) => Promise<unknown>): Promise<void> {
  const create = Object.getOwnPropertySymbols(client).find(({ description }) => description === 'private:Kafka:createCluster');
  if (create === undefined) throw new Error('kafkajs has no createCluster any more');
  const cluster = (client as unknown as Record<symbol, (options: object) => Cluster>)[create]?.({ metadataMaxAge: 60_000 });
  if (cluster === undefined) throw new Error('kafkajs makes no cluster any more');
  await cluster.connect();
  try {
    await ask(await cluster.findGroupCoordinator({ groupId }));
  } finally {
    await cluster.disconnect();
  }
}
