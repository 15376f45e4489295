import { parseArgs } from 'node:util';
import { type AppName, appNames } from './apps.ts';
import { LINKS } from './link.ts';
import { type ServerKind, serverKinds } from './server.ts';
import { type SideName, sideNames } from './side.ts';
import { type VisitKind, visitKinds } from './visit.ts';

export type LinkName = keyof typeof LINKS;
export const linkNames = Object.keys(LINKS) as LinkName[];

export interface BenchOptions {
  readonly apps: readonly AppName[];
  readonly links: readonly LinkName[];
  readonly sides: readonly SideName[];
  readonly visits: readonly VisitKind[];
  readonly server: ServerKind | undefined;
  readonly runs: number;
  /** One cold launch of each side, told in detail, instead of the table. */
  readonly timeline: boolean;
}

export const usage = `npm run bench -- launch [options]
  --app NAME      ${appNames.join(', ')} (default all)
  --link NAME     ${linkNames.join(', ')} (default medium: 20 Mbit/s, 50 ms)
  --side NAME     ${sideNames.join(', ')} (default all)
  --visit NAME    ${visitKinds.join(', ')} (default all)
  --server NAME   ${serverKinds.join(', ')}: what all sides are served by (default nginx where there is one; brotli needs it)
  --runs N        launches of each kind (default 5)
  --timeline      the life of one cold launch of each side instead of the table
The first four may be given several times. All apps take about an hour on the medium link, twice that on the slow one. Results are kept, after each
visitor: npm run bench -- chart draws the newest.`;

/** Throws an Error with one line of words for what cannot be understood. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      app: { type: 'string', multiple: true, default: appNames },
      link: { type: 'string', multiple: true, default: ['medium'] },
      side: { type: 'string', multiple: true, default: [...sideNames] },
      visit: { type: 'string', multiple: true, default: [...visitKinds] },
      server: { type: 'string' },
      runs: { type: 'string', default: '5' },
      timeline: { type: 'boolean', default: false },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${values.runs}: a whole number from 1 on`);
  return {
    apps: values.app.map((name) => oneOf('--app', name, appNames)),
    links: values.link.map((name) => oneOf('--link', name, linkNames)),
    sides: values.side.map((name) => oneOf('--side', name, sideNames)),
    visits: values.visit.map((name) => oneOf('--visit', name, visitKinds)),
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
