/** Does what a Dockerfile says, without Docker: copies what it copies into an empty folder and runs what it runs there. */
import { execSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

interface Stage {
  readonly name: string;
  readonly steps: readonly { readonly verb: string; readonly rest: string }[];
}

export function readStages(file: string): Stage[] {
  const stages: { name: string; steps: { verb: string; rest: string }[] }[] = [];
  for (const line of readFileSync(file, 'utf8').replaceAll('\\\n', ' ').split('\n')) {
    const [, verb, rest] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (verb === undefined || rest === undefined) continue;
    if (verb === 'FROM') stages.push({ name: / AS (\S+)$/.exec(rest)?.[1] ?? `${stages.length}`, steps: [] });
    else stages.at(-1)?.steps.push({ verb, rest });
  }
  return stages;
}

/**
 * Builds every stage below `folder`; gives the folder of the last one and what it starts.
 * RUN steps that need the image's own root (`/data`, chown) are left to the image.
 */
export function buildWithoutDocker(context: string, folder: string): { app: string; entrypoint: string[] } {
  const stages = readStages(join(context, 'Dockerfile'));
  for (const stage of stages) {
    const target = join(folder, stage.name);
    mkdirSync(target, { recursive: true });
    for (const { verb, rest } of stage.steps) {
      if (verb === 'COPY') copy(rest, context, folder, target);
      if (verb === 'RUN' && !rest.includes('/data')) execSync(rest, { cwd: target, stdio: ['ignore', 'ignore', 'inherit'] });
    }
  }
  const last = stages.at(-1);
  const entrypoint = JSON.parse(last?.steps.find(({ verb }) => verb === 'ENTRYPOINT')?.rest ?? '[]') as string[];
  return { app: join(folder, last?.name ?? ''), entrypoint };
}

function copy(rest: string, context: string, folder: string, target: string): void {
  const words = rest.split(/\s+/);
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
  const to = words.pop() ?? '.';
  for (const word of words) {
    const source = from === undefined ? join(context, word) : join(folder, from, word.replace(/^\/app\//, ''));
    if (!existsSync(source)) throw new Error(`the Dockerfile copies ${word}, which is not there`);
    const isFolder = to.endsWith('/') && words.length === 1 && basename(word) === basename(to);
    cpSync(source, isFolder ? join(target, to) : join(target, to, basename(word)), { recursive: true, verbatimSymlinks: true });
  }
}
