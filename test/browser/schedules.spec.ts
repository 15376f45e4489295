import { expect, test } from '@playwright/test';
import { BrowserProfile } from '../support/browser-profile.ts';
import { runSchedule } from '../torture/run-schedule.ts';
import { inWords, scheduleOf } from '../torture/schedule.ts';
import { TortureSites } from '../torture/torture-sites.ts';
import { visitorOf } from '../torture/visitor.ts';

/** Of `npm run torture -- schedules`: these two mix origin, link, network, tabs and workers. */
const seeds = [106, 144];

test(`schedules of faults, seeds ${seeds.join(', ')}: right bytes, or the right error, and in the end all is right`, async () => {
  await using sites = new TortureSites();
  const profile = await BrowserProfile.create();
  try {
    const visitor = await visitorOf(profile);
    for (const seed of seeds) {
      const schedule = scheduleOf(seed);
      const { wrong } = await runSchedule(schedule, sites, visitor);
      expect(wrong, `seed ${seed}: ${inWords(schedule)}`).toEqual([]);
    }
  } finally {
    await profile.remove();
  }
});
