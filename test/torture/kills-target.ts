import { Kills } from './kills.ts';
import { report } from './report.ts';
import { tortureTarget } from './target.ts';

export const kills = tortureTarget({
  summary: 'SIGKILL of the browser while its store is loaded, sealed, checkpointed, culled and evicted',
  options: {
    runs: { default: 200, means: 'how many kills, one after the other in one profile' },
    seed: { default: 1, means: 'of the images, and of what is killed when' },
  },
  async run({ runs, seed }) {
    const figures = await Kills.run({ seed, kills: runs });
    return report(
      `kills --runs ${runs} --seed ${seed}`,
      [
        ...Object.entries(figures.kills).map(([phase, count]) => [`kills: ${phase}`, count] as const),
        ['launches that came to mount', figures.mounted],
        ['reads', figures.reads],
        ['changes acknowledged', figures.acknowledged],
        ['most that came again', `${figures.again.bytes} bytes`],
        ['… of the second before', `${figures.again.ofLastSecond} bytes`],
        ['wrong', figures.wrong.length],
      ],
      figures.wrong,
    );
  },
});
