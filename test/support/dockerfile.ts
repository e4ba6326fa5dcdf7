/** Does what a Dockerfile says, without Docker: copies what it copies into empty folders and runs what its build stages run. */
import { exec } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { cleanEnvironment } from './gatetrail.ts';

interface Stage {
  readonly name: string;
  readonly base: string;
  readonly steps: readonly { readonly verb: string; readonly rest: string }[];
}

/** What a container of the last stage would start with. */
export interface Image {
  /** The folder that stands for `/`. */
  readonly root: string;
  readonly workdir: string;
  readonly entrypoint: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export function readStages(context: string): Stage[] {
  const stages: { name: string; base: string; steps: { verb: string; rest: string }[] }[] = [];
  for (const line of readFileSync(join(context, 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ').split('\n')) {
    const [, verb, rest] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (verb === undefined || rest === undefined) continue;
    const [base = '', , name = `${stages.length}`] = rest.split(' ');
    if (verb === 'FROM') stages.push({ name, base, steps: [] });
    else stages.at(-1)?.steps.push({ verb, rest });
  }
  return stages;
}

export const restsOf = (stage: Stage | undefined, verb: string): string[] =>
  stage?.steps.filter((step) => step.verb === verb).map(({ rest }) => rest) ?? [];

/** Builds every stage in a folder of its own below `folder`. RUN of the last stage needs the image's own root and is left out. */
export async function buildWithoutDocker(context: string, folder: string): Promise<Image> {
  const stages = readStages(context);
  const last = stages.at(-1);
  for (const stage of stages) {
    const root = join(folder, stage.name);
    let workdir = root;
    for (const { verb, rest } of stage.steps) {
      if (verb === 'WORKDIR') mkdirSync((workdir = join(root, rest)), { recursive: true });
      if (verb === 'COPY') copy(rest, { context, folder, workdir });
      if (verb === 'RUN' && stage !== last) await run(rest, workdir);
    }
  }
  const root = join(folder, last?.name ?? '');
  return {
    root,
    workdir: join(root, restsOf(last, 'WORKDIR').at(-1) ?? ''),
    entrypoint: JSON.parse(restsOf(last, 'ENTRYPOINT').at(-1) ?? '[]') as string[], // the form that the Dockerfile is written in
    environment: Object.fromEntries(
      restsOf(last, 'ENV').flatMap((rest) => rest.split(' ').map((pair) => pair.split('=') as [string, string])),
    ),
  };
}

/** As COPY: of a folder its content, a file below a target that ends with a slash. */
function copy(rest: string, { context, folder, workdir }: { context: string; folder: string; workdir: string }): void {
  const words = rest.split(/\s+/);
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
  const to = words.pop() ?? '';
  for (const word of words) {
    const source = join(from === undefined ? context : join(folder, from), word);
    if (from === undefined && isIgnored(context, word)) throw new Error(`the Dockerfile copies ${word}, which .dockerignore leaves out`);
    if (!existsSync(source)) throw new Error(`the Dockerfile copies ${word}, which is not there`);
    const isBelow = to.endsWith('/') && !statSync(source).isDirectory();
    cpSync(source, join(workdir, to, isBelow ? basename(word) : ''), { recursive: true, verbatimSymlinks: true });
  }
}

/** .dockerignore holds plain names of the top level. */
function isIgnored(context: string, path: string): boolean {
  return readFileSync(join(context, '.dockerignore'), 'utf8')
    .split('\n')
    .includes(path.split('/')[0] ?? '');
}

/** Without what `npm test` leaves in the environment of its children; packages that are on this machine are taken from there. */
async function run(command: string, cwd: string): Promise<void> {
  const kept = Object.entries(cleanEnvironment()).filter(
    ([name]) => !/^(npm_(package|lifecycle|command|execpath|config_local_prefix)|NODE_ENV|INIT_CWD)/.test(name),
  );
  await promisify(exec)(command, {
    cwd,
    env: { ...Object.fromEntries(kept), npm_config_prefer_offline: 'true' },
    maxBuffer: 1 << 26,
  });
}
