#!/usr/bin/env node
/** The command line: one file per verb in app/verbs, found by its name. The one that is asked for is loaded alone: a start is many processes. */
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { messageOf, AuditError } from './core/errors.ts';
import { loadKinds } from './core/kinds.ts';
import { exitCodeOf, type Flags, type Verb } from './app/verb.ts';
import { version } from './app/version.ts';

const program = new Command('gatetrail')
  .description('Audit trail, metrics and anomaly alerts for API gateways')
  .version(version)
  .exitOverride()
  .configureOutput({ writeErr: (text) => process.stderr.write(text) });

// Whoever reads our output may have seen enough, as head does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  const [asked] = process.argv.slice(2);
  if (asked !== '--version' && asked !== '-V')
    for (const [name, verb] of await loadKinds<Verb>(join(import.meta.dirname, 'app/verbs'), asked)) add(name, verb);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else fail(error);
}

function add(name: string, verb: Verb): void {
  const command = program
    .command([name, ...(verb.arguments ?? [])].join(' '))
    .description(verb.description)
    .option('--config <FILE>', 'configuration, default gatetrail.yaml if present')
    .option('--data <DIR>', 'embedded state, default ./data')
    .option('--json', 'machine-readable output, one JSON value a line')
    .exitOverride();
  for (const [flag, description] of Object.entries(verb.options ?? {})) command.option(flag, description);
  command.action(async (...given: unknown[]) => {
    // commander passes the arguments, then the options, then itself
    const flags = given.at(-2) as Flags;
    const code = await verb.run(
      flags,
      given
        .slice(0, -2)
        .flat()
        .filter((each): each is string => typeof each === 'string'),
    );
    if (typeof code === 'number') process.exitCode = code;
  });
}

function fail(error: unknown): void {
  if (error instanceof AuditError) process.stderr.write(`${error.code}: ${error.message}\n`);
  else process.stderr.write(`INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`);
  process.exitCode = exitCodeOf(error);
}
