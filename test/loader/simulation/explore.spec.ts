import { test } from '@playwright/test';
import { makeSite } from '../site-fixture.ts';
import { LINKS, simulate } from './simulation.ts';

const KiB = 1024;
test('explore', async () => {
  const site = await makeSite(
    [
      { name: 'a', size: 5000 * KiB, shift: 16 },
      { name: 'b', size: 5000 * KiB, shift: 16 },
    ],
    4096 * KiB,
    1,
    1,
  );
  const bytes = site.blobs.reduce((s, { record }) => s + record.length, 0);
  for (const [name, shape] of Object.entries(LINKS)) {
    await simulate(site, shape, async ({ clock, link, engine, mount, complete }) => {
      engine.complete(mount);
      await complete;
      const ideal = bytes / ((shape.mbitPerSecond * 1e6) / 8 / 1000);
      const r = link.requests;
      const first = r[0]!.firstAt!;
      console.log(
        name,
        Math.round(clock.now()),
        Math.round(ideal),
        'busy',
        (link.busyMs / (clock.now() - first)).toFixed(3),
        r.length,
      );
      if (process.env.V)
        console.log(
          r
            .map((r) =>
              [r.askedAt, r.firstAt, r.endedAt, r.start, r.end - r.start]
                .map((x) => Math.round(x!))
                .join(' '),
            )
            .join('\n'),
        );
    });
  }
});
