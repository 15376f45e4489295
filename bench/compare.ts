import type { TestApp } from '../test/apps/test-app.ts';
import { BrowserProfile } from '../test/support/browser-profile.ts';
import type { LinkShape } from './link.ts';
import type { ServerKind } from './server.ts';
import { Side, type SideName, sideNames } from './side.ts';
import { settled, type Visit, visit } from './visit.ts';

/** `cold`: first visit on a fresh profile. `warm`: the next one, by a new browser process, after everything has settled. */
export const visitKinds = ['cold', 'warm'] as const;
export type VisitKind = (typeof visitKinds)[number];

/** Visits in the order of runs: those of one index were made right after one another. */
export type Comparison = Readonly<Record<VisitKind, Readonly<Record<SideName, readonly Visit[]>>>>;

/** Launches the app from both sides, in turn, `runs` times each. The side that begins changes from run to run. */
export async function compare(
  app: TestApp,
  shape: LinkShape,
  kind: ServerKind,
  runs: number,
  onRun: (run: number) => void,
): Promise<Comparison> {
  await using plain = await Side.start('plain', app, shape, kind);
  await using sluice = await Side.start('sluice', app, shape, kind);
  const sides = { plain, sluice };
  const visits = { cold: { plain: [], sluice: [] }, warm: { plain: [], sluice: [] } } satisfies Record<
    VisitKind,
    Record<SideName, Visit[]>
  > as Record<VisitKind, Record<SideName, Visit[]>>;
  for (let run = 0; run < runs; run++) {
    onRun(run);
    for (const name of run % 2 === 0 ? sideNames : sideNames.toReversed()) {
      const side = sides[name];
      const profile = await BrowserProfile.create();
      try {
        const cold = await visit(profile, side, async (page, result) => {
          await settled(page, side);
          return result;
        });
        const warm = await visit(profile, side, async (_page, result) => result);
        visits.cold[name].push(cold);
        visits.warm[name].push(warm);
      } finally {
        await profile.remove();
      }
    }
  }
  return visits;
}
