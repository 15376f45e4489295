import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AppName } from './apps.ts';
import type { Comparison, Launch } from './compare.ts';
import type { LinkShape } from './link.ts';
import type { Machine } from './machine.ts';
import type { LinkName } from './options.ts';
import type { ServerKind } from './server.ts';
import type { SideName } from './side.ts';
import type { VisitKind } from './visit.ts';

const resultsDir = fileURLToPath(new URL('../.cache/bench/results/', import.meta.url));

/** One app on one link, as one process measured it. */
export interface Result extends Comparison {
  /** Of this form; others are passed over. */
  readonly version: 2;
  /** ISO, when it began. */
  readonly date: string;
  readonly app: AppName;
  readonly link: LinkName;
  readonly shape: LinkShape;
  readonly server: ServerKind;
  readonly machine: Machine;
}

/** The launches of one side of one app on one link, of one kind; all of one process. */
export interface Combination {
  readonly app: AppName;
  readonly link: LinkName;
  readonly side: SideName;
  readonly visit: VisitKind;
  readonly date: string;
  readonly launches: readonly Launch[];
}

/** Replaces what the same measurement has written before. */
export function writeResult(result: Result): void {
  mkdirSync(resultsDir, { recursive: true });
  const name = `${result.date.replaceAll(':', '-')}-${result.app}-${result.link}.json`;
  writeFileSync(join(resultsDir, name), `${JSON.stringify(result)}\n`);
}

/** All that were ever written here, oldest first. */
export function readResults(): Result[] {
  let names: string[];
  try {
    names = readdirSync(resultsDir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .map((name) => JSON.parse(readFileSync(join(resultsDir, name), 'utf8')) as Result)
    .filter(({ version }) => version === 2)
    .sort((a, b) => (a.date < b.date ? -1 : 1));
}

/** Of each combination the newest that has `runs` launches; where none has, the newest with the most. */
export function newest(results: readonly Result[], runs: number): Combination[] {
  const found = new Map<string, Combination>();
  for (const { app, link, date, launches } of results) {
    const groups = new Map<string, Launch[]>();
    for (const launch of launches) {
      const key = [app, link, launch.side, launch.visit].join();
      groups.set(key, [...(groups.get(key) ?? []), launch]);
    }
    for (const [key, group] of groups) {
      const enough = Math.min(runs, group.length);
      if (enough < Math.min(runs, found.get(key)?.launches.length ?? 0)) continue;
      const { side, visit } = group[0]!;
      found.set(key, { app, link, side, visit, date, launches: group });
    }
  }
  return [...found.values()];
}
