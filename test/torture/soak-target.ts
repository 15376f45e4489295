import { columns } from '../../bench/columns.ts';
import { inMB, report } from './report.ts';
import { type SoakFigures, type SoakLook, soak as soakFigures } from './soak.ts';
import { tortureTarget } from './target.ts';

/** By which more may be held in the end than after a quarter of the cycles: caches fill, collectors take their time. */
const slack: Readonly<Record<keyof SoakLook, { readonly share: number; readonly least: number }>> = {
  cycles: { share: Number.POSITIVE_INFINITY, least: 0 },
  heap: { share: 0.1, least: 1e6 },
  memory: { share: 0.15, least: 30e6 },
  handles: { share: 0.05, least: 20 },
  threads: { share: 0.1, least: 10 },
  processes: { share: 0, least: 1 },
  locks: { share: 0, least: 0 },
};

/** What is wrong with the figures, in words. */
export function wrongSoak({ looks, wrong }: SoakFigures): string[] {
  const early = looks[Math.floor(looks.length / 4)]!;
  const late = looks.at(-1)!;
  const grown = (Object.keys(slack) as (keyof SoakLook)[]).filter((what) => {
    const { share, least } = slack[what];
    return late[what] > early[what] + Math.max(least, share * early[what]);
  });
  const words = grown.map(
    (what) => `${what}: ${early[what]} after ${early.cycles} cycles, ${late[what]} after ${late.cycles}`,
  );
  return [...wrong, ...words];
}

export const soak = tortureTarget({
  summary: 'many short cycles of mount, read, evict and unmount: what is held of memory, files and locks',
  options: {
    seed: { default: 1, means: 'of the image, and of what is read' },
    cycles: { default: 2000, means: 'how many' },
    looks: { default: 20, means: 'how often it is looked at what is held' },
  },
  async run({ seed, cycles, looks }) {
    const figures = await soakFigures({ seed, cycles, looks });
    const head = ['cycles', 'heaps', 'memory', 'handles', 'threads', 'processes', 'locks'];
    const rows = figures.looks.map((look) =>
      [
        look.cycles,
        inMB(look.heap),
        inMB(look.memory),
        look.handles,
        look.threads,
        look.processes,
        look.locks,
      ].map(String),
    );
    console.log(columns([head, ...rows], 0));
    return report(
      `soak --seed ${seed} --cycles ${cycles} --looks ${looks}`,
      [['elapsed', `${Math.round(figures.elapsedMs / 1000)} s`]],
      wrongSoak(figures),
    );
  },
});
