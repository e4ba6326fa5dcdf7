import { defineConfig } from 'vitest/config';

// Project names say what a test needs: unit and contract run anywhere, integration and faults start a real
// Kafka and the engine, containers need Docker.
const heavy = { pool: 'forks' as const, testTimeout: 120_000, hookTimeout: 180_000, fileParallelism: false };

export default defineConfig({
  test: {
    globalSetup: ['test/support/build.ts'],
    reporters: ['default', './test/support/summary.ts'],
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 10_000 } },
      { extends: true, test: { name: 'contract', include: ['test/contract/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
      { extends: true, test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...heavy } },
      { extends: true, test: { name: 'faults', include: ['test/faults/**/*.test.ts'], ...heavy } },
      { extends: true, test: { name: 'containers', include: ['test/containers/**/*.test.ts'], ...heavy } },
    ],
  },
});
