// `node run.mjs FILE`: runs a TypeScript file in a process of its own, for what must not share one with the test.
import { createViteServer } from 'vitest/node';

const server = await createViteServer({ configFile: false, logLevel: 'error', server: { middlewareMode: true, ws: false, watch: null } });
await server.ssrLoadModule(process.argv[2]);
