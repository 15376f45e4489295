import { inMB, inPercent, report } from './report.ts';
import { type TabsFigures, tortureTabs } from './tabs.ts';
import { tortureTarget } from './target.ts';

/** Blocks, and bytes, that may come a second time: what a loader is receiving when it goes is lost. */
const slack = 0.02;

/** What is wrong with the figures, in words. */
export function wrongTabs({ wrong, brokenOff, kills, fetches, badBlobs }: TabsFigures): string[] {
  const all = [...wrong, ...badBlobs.map((name) => `blob ${name} is not what it is called`)];
  if (brokenOff > 0 && kills.crash === 0)
    all.push(`${brokenOff} reads were broken off, and nothing had crashed`);
  const again = fetches.times.slice(2).reduce((sum, count, i) => sum + count * (i + 1), 0);
  if (again > slack * fetches.blocks) all.push(`${again} of ${fetches.blocks} blocks came again`);
  if (fetches.twiceBytes > slack * fetches.storedBytes)
    all.push(`${fetches.twiceBytes} of ${fetches.storedBytes} bytes came again`);
  return all;
}

export const tabs = tortureTarget({
  summary: 'tabs of two apps on one origin read at random while one leader after the other is killed',
  options: {
    seed: { default: 1, means: 'of the apps, the reads, and who is killed how' },
    tabs: { default: 8, means: 'how many, over the two apps by turns' },
    seconds: { default: 300, means: 'how long' },
    every: { default: 3000, means: 'ms between two kills' },
    mbit: { default: 16, means: 'Mbit/s of the link, at 20 ms of round trip' },
    mb: { default: 160, means: 'MB of each app' },
  },
  async run({ seed, tabs: count, seconds, every, mbit, mb }) {
    const figures = await tortureTabs({
      seed,
      tabs: count,
      ms: seconds * 1000,
      killEveryMs: every,
      mbitPerSecond: mbit,
      appBytes: mb * 1e6,
    });
    const { kills, fetches } = figures;
    return report(
      `tabs --seed ${seed} --tabs ${count} --seconds ${seconds} --every ${every} --mbit ${mbit} --mb ${mb}`,
      [
        ['reads', figures.reads],
        ['read', inMB(figures.bytes)],
        ['wrong', figures.wrong.length],
        ['broken off by a crash', figures.brokenOff],
        ['leaders whose tab was closed', kills.close],
        ['leaders whose tab crashed', kills.crash],
        ['leaders whose worker ended', kills.worker],
        ['median read', `${figures.medianMs} ms`],
        ['99 of 100 reads within', `${figures.p99Ms} ms`],
        ['longest stall', `${figures.longestMs} ms`],
        ['reads over 2 s', figures.over2s],
        ['blocks', fetches.blocks],
        ...fetches.times.map((blocks, times) => [`… that came ${times} times`, blocks] as const),
        ['stored', inMB(fetches.storedBytes)],
        ['came again', `${inMB(fetches.twiceBytes)} (${inPercent(fetches.twiceBytes, fetches.storedBytes)})`],
      ],
      wrongTabs(figures),
    );
  },
});
