import { parseArgs } from 'node:util';
import { type AppName, appNames } from './apps.ts';
import { LINKS } from './link.ts';
import { type ServerKind, serverKinds } from './server.ts';

export type LinkName = keyof typeof LINKS;

export interface BenchOptions {
  readonly apps: readonly AppName[];
  readonly links: readonly LinkName[];
  readonly server: ServerKind | undefined;
  readonly runs: number;
  /** One cold launch of each side, told in detail, instead of the table. */
  readonly timeline: boolean;
}

export const usage = `npm run bench -- launch [options]
  --app NAME      ${appNames.join(', ')}; may be repeated (default demo and pyodide)
  --link NAME     ${Object.keys(LINKS).join(', ')}; may be repeated (default medium: 20 Mbit/s, 50 ms)
  --server NAME   ${serverKinds.join(', ')}: what both sides are served by (default nginx where there is one)
  --runs N        launches of each kind (default 5)
  --timeline      the life of one cold launch of each side instead of the table`;

/** Throws an Error with one line of words for what cannot be understood. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      app: { type: 'string', multiple: true, default: ['demo', 'pyodide'] },
      link: { type: 'string', multiple: true, default: ['medium'] },
      server: { type: 'string' },
      runs: { type: 'string', default: '5' },
      timeline: { type: 'boolean', default: false },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${values.runs}: a whole number from 1 on`);
  return {
    apps: values.app.map((name) => oneOf('--app', name, appNames)),
    links: values.link.map((name) => oneOf('--link', name, Object.keys(LINKS) as LinkName[])),
    server: values.server === undefined ? undefined : oneOf('--server', values.server, serverKinds),
    runs,
    timeline: values.timeline,
  };
}

function oneOf<T extends string>(option: string, value: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw new Error(`${option} ${value}: one of ${choices.join(', ')}`);
  return choice;
}
