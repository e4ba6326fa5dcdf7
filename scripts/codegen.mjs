// Writes the types that schemas/api.graphql stands for; `--check` compares instead and names what differs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codegen } from '@graphql-codegen/core';
import * as typescript from '@graphql-codegen/typescript';
import * as resolvers from '@graphql-codegen/typescript-resolvers';
import { parse } from 'graphql';
import { format, resolveConfig } from 'prettier';

const root = join(import.meta.dirname, '..');
const schema = parse(readFileSync(join(root, 'schemas/api.graphql'), 'utf8'));
const config = {
  scalars: {
    DateTime: 'number', // milliseconds
    Duration: 'string',
    SafeInt: 'number',
    IPAddress: 'string',
    JSONObject: 'Readonly<Record<string, unknown>>',
    ID: 'string',
  },
  strictScalars: true,
  enumsAsTypes: true,
  immutableTypes: true,
  skipTypename: true,
  disableDescriptions: true,
  useTypeImports: true,
  importExtension: '.ts',
  // A field may be a function, which is called when a query selects it.
  wrapEntireFieldDefinitions: true,
  entireFieldWrapperValue: 'T | ((args: never) => T | Promise<T>)',
  contextType: './guard.ts#ReadContext',
  mappers: {
    AuditEvent: './event-view.ts#EventView',
    Alert: '../storage/alert-search.ts#AlertRecord',
    MetricValues: './figures.ts#Values',
    Quantiles: './quantiles.ts#Spread',
  },
};

// Two files: what a resolver stands on needs the values, and the resolver types need what it stands on.
await write('schemas/api.ts', typescript);
await write('query/resolver-types.ts', resolvers, {
  import: "import type * as Types from '../schemas/api.ts';\n",
  namespacedImportName: 'Types',
});

async function write(filename, plugin, { import: head = '', ...more } = {}) {
  const pluginMap = { types: plugin };
  const body = await codegen({ schema, documents: [], filename, config: { ...config, ...more }, plugins: [{ types: {} }], pluginMap });
  const text = `// Generated from schemas/api.graphql by npm run codegen: change the schema, not this file.\n${head}${body}`;
  const file = join(root, filename);
  // The plugin takes an argument with a default for one that is never null; a query may give null all the same.
  const formatted = await format(text.replace('NonNullable<T[P]>', 'T[P]'), { ...(await resolveConfig(file)), filepath: file });
  if (!process.argv.includes('--check')) writeFileSync(file, formatted);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== formatted) {
    console.error(`${filename} is not what schemas/api.graphql says: run npm run codegen`);
    process.exitCode = 1;
  }
}
