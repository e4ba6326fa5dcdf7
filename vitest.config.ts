import { defineConfig } from 'vitest/config';

// Project names say what a test needs: unit and contract run anywhere, integration and faults start a real
// Kafka and the engine, containers need Docker.
// Files of unit and contract share what they import: reading it anew for each took half of their time.
// Three files at a time: each has servers of its own and waits for them more than it works; two leave a third of two cores idle.
const heavy = {
  pool: 'forks' as const,
  testTimeout: 180_000,
  hookTimeout: 240_000,
  maxWorkers: 3,
  sequence: { groupOrder: 2 },
};

export default defineConfig({
  test: {
    globalSetup: ['test/support/build.ts'],
    reporters: ['default', './test/support/summary.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false, testTimeout: 10_000, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      { extends: true, test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...heavy } },
      { extends: true, test: { name: 'faults', include: ['test/faults/**/*.test.ts'], ...heavy } },
      { extends: true, test: { name: 'containers', include: ['test/containers/**/*.test.ts'], ...heavy } },
    ],
  },
});
