import type { TestApp } from '../test/apps/test-app.ts';
import { BrowserProfile } from '../test/support/browser-profile.ts';
import { type LaunchBlocks, launchBlocks } from './launch-blocks.ts';
import type { LinkShape } from './link.ts';
import { rotated } from './rotated.ts';
import type { ServerKind } from './server.ts';
import { settle } from './settle.ts';
import { isSluice, Side, type SideName } from './side.ts';
import { type Visit, type VisitKind, visit, visitKinds } from './visit.ts';

/** What is launched how often. */
export interface Plan {
  readonly app: TestApp;
  readonly shape: LinkShape;
  readonly server: ServerKind;
  readonly sides: readonly SideName[];
  readonly visits: readonly VisitKind[];
  readonly runs: number;
}

/** A visit, and where it belongs: those of one run were made right after one another. */
export interface Launch extends Visit {
  readonly run: number;
  readonly side: SideName;
  readonly visit: VisitKind;
  /** Of cold visits of Sluice's sides. */
  readonly launch?: LaunchBlocks;
}

/** Launches of a side that did not come to their end, or never began. */
export interface Failure {
  readonly run: number;
  readonly side: SideName;
  readonly message: string;
}

export interface Comparison {
  readonly launches: readonly Launch[];
  readonly failures: readonly Failure[];
}

/**
 * Launches the app from all sides, in turn, `runs` times each; the side that begins changes from run to run. One that fails does not keep the others
 * from going on. Answers after each visitor what there is so far.
 */
export async function* compare(plan: Plan): AsyncGenerator<Comparison> {
  const { app, shape, server, runs } = plan;
  const sides: Side[] = [];
  const launches: Launch[] = [];
  const failures: Failure[] = [];
  try {
    for (const name of plan.sides) {
      try {
        sides.push(await Side.start(name, app, shape, server));
      } catch (error) {
        failures.push({ run: 0, side: name, message: (error as Error).message });
        yield { launches, failures };
      }
    }
    for (let run = 0; run < runs; run++) {
      for (const side of rotated(sides, run)) {
        try {
          for await (const one of visits(side, plan.visits)) launches.push({ run, side: side.name, ...one });
        } catch (error) {
          failures.push({ run, side: side.name, message: (error as Error).message });
        }
        yield { launches, failures };
      }
    }
  } finally {
    for (const side of sides) await side[Symbol.asyncDispose]();
  }
}

/** One visitor: the visits that are wanted, in their order. Later ones want the first in any case. */
async function* visits(
  side: Side,
  kinds: readonly VisitKind[],
): AsyncGenerator<Omit<Launch, 'run' | 'side'>> {
  const later = visitKinds.filter(
    (kind) => kinds.includes(kind) && kind !== 'cold' && (kind === 'warm' || worksOffline(side.name)),
  );
  const profile = await BrowserProfile.create();
  try {
    await side.connect();
    const cold = await visit(profile, side, 'cold', async (page, result) => {
      const read = isSluice(side.name) ? await launchBlocks(page, side.dir) : undefined;
      if (later.length > 0) await side.unshaped(() => settle(page, side, profile));
      return { ...result, ...(read === undefined ? {} : { launch: read }) };
    });
    if (kinds.includes('cold')) yield { visit: 'cold', ...cold };
    for (const kind of later)
      yield { visit: kind, ...(await visit(profile, side, kind, async (_, result) => result)) };
  } finally {
    await profile.remove();
  }
}

function worksOffline(name: SideName): boolean {
  return name === 'workbox' || isSluice(name);
}
