import { parseArgs } from 'node:util';
import { buildPackage } from './build-package.ts';
import { chart, usage as chartUsage } from './chart.ts';
import { compression } from './compression.ts';
import { demand } from './demand.ts';
import { huge } from './huge.ts';
import { inspector } from './inspector.ts';
import { launch } from './launch.ts';
import { usage as launchUsage } from './options.ts';
import { overhead } from './overhead.ts';
import { verify } from './verify.ts';

interface Target {
  /** One line. */
  readonly summary: string;
  readonly usage: string;
  /** Answers the process's exit code. */
  run(args: readonly string[]): Promise<number>;
}

/** A target whose one option is how often everything is measured. */
function repeated(
  name: string,
  summary: string,
  defaultRuns: number,
  run: (runs: number) => Promise<void>,
): Target {
  const usage = `npm run bench -- ${name} [options]\n  --runs N        how often each thing is measured (default ${defaultRuns})`;
  return {
    summary,
    usage,
    async run(args) {
      let runs: number;
      try {
        const options = { runs: { type: 'string', default: String(defaultRuns) } } as const;
        runs = Number(parseArgs({ args: [...args], options }).values.runs);
        if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs: a whole number from 1 on');
      } catch (error) {
        console.error(`${(error as Error).message}\n\n${usage}`);
        return 2;
      }
      buildPackage();
      await run(runs);
      return 0;
    },
  };
}

const targets: Readonly<Record<string, Target>> = {
  launch: {
    summary:
      'cold, warm and offline launches of real apps, beside plain servers and Workbox (the default target)',
    usage: launchUsage,
    run: launch,
  },
  chart: {
    summary:
      'what launch has measured, as docs/launch.svg, docs/launch.json, the README, and a table of targets',
    usage: chartUsage,
    run: chart,
  },
  compression: repeated(
    'compression',
    'block sizes and levels: bytes of what a launch reads, time to pack and to decode it',
    3,
    compression,
  ),
  huge: repeated('huge', 'an image of 100,000 files and 10 GB beside one of a tenth of the bytes', 9, huge),
  demand: repeated(
    'demand',
    'reads of what is missing, while the background fills the link and while it is idle',
    2,
    demand,
  ),
  verify: repeated('verify', 'cold launches with digests checked and unchecked', 9, verify),
  inspector: repeated(
    'inspector',
    'frames of the inspector’s block map with a million blocks; cold launches with the inspector open and closed',
    5,
    inspector,
  ),
  overhead: repeated('overhead', 'reads of what is there already, beside Cache Storage', 9, overhead),
};

const usage = `npm run bench -- [target] [options]

${Object.entries(targets)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  .join('\n')}

npm run bench -- <target> --help tells its options.`;

/** Measures what the first argument names, of the package as it is built then. Answers the process's exit code. */
export async function bench(args: readonly string[]): Promise<number> {
  const [first = 'launch', ...rest] = args;
  if (first === '--help') {
    console.log(usage);
    return 0;
  }
  const named = !first.startsWith('-');
  const name = named ? first : 'launch';
  const options = named ? rest : args;
  const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
  if (target === undefined) {
    console.error(`there is no target "${name}"\n\n${usage}`);
    return 2;
  }
  if (options.includes('--help')) {
    console.log(target.usage);
    return 0;
  }
  return target.run(options);
}
