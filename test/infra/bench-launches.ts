import type { Launch } from '../../bench/compare.ts';
import type { Machine } from '../../bench/machine.ts';
import type { Result } from '../../bench/results.ts';
import type { SideName } from '../../bench/side.ts';
import type { VisitKind } from '../../bench/visit.ts';

export const machine: Machine = {
  system: 'Linux, x64',
  cpu: 'A processor <of> some kind',
  cores: 2,
  memoryGB: 8,
  node: '20.19.0',
  browser: 'Chromium 156.0',
  nginx: 'nginx 1.22.1',
  workbox: '7.4.1',
  sluice: '0.1.0',
};

/** Launches in the order of runs, ready after so many milliseconds each. */
export function launches(side: SideName, visit: VisitKind, readyMs: readonly number[]): Launch[] {
  const launch = side.startsWith('sluice') && visit === 'cold';
  return readyMs.map((ms, run) => ({
    run,
    side,
    visit,
    readyMs: ms,
    wireBytes: 1_000_000,
    requests: 10,
    cpuMs: ms / 2,
    ...(launch ? { launch: { blockBytes: 800_000, imageBytes: 8_000_000 } } : {}),
  }));
}

/** A result of the demo on the medium link. */
export function result(date: string, all: readonly Launch[], rest: Partial<Result> = {}): Result {
  return {
    version: 2,
    date,
    app: 'demo',
    link: 'medium',
    shape: { mbitPerSecond: 20, rttMs: 50 },
    server: 'nginx',
    machine,
    launches: all,
    failures: [],
    ...rest,
  };
}
