import { fuzz } from './fuzz/fuzz.ts';
import { kills } from './kills-target.ts';
import { longAnswer } from './long-answer.ts';
import { schedules } from './schedules.ts';
import { soak } from './soak-target.ts';
import { tabs } from './tabs-target.ts';
import { parseTortureValues, type TortureTarget, type TortureValues, tortureUsage } from './target.ts';

/** A line for each. */
const targets: Readonly<Record<string, TortureTarget>> = {
  schedules,
  'long-answer': longAnswer,
  kills,
  tabs,
  soak,
  fuzz,
};

const nameWidth = Math.max(...Object.keys(targets).map((name) => name.length));

const usage = `npm run torture -- TARGET [options]

${Object.entries(targets)
  .map(([name, { summary }]) => `  ${name.padEnd(nameWidth)}  ${summary}`)
  .join('\n')}

npm run torture -- TARGET --help tells its options. All of them torture the package as it is built (npm run build).`;

/**
 * Does what the first argument names. Answers the process's exit code: 0 all right, 1 something was wrong,
 * 2 not understood.
 */
export async function torture(args: readonly string[]): Promise<number> {
  const [name = '--help', ...rest] = args;
  if (name === '--help') {
    console.log(usage);
    return 0;
  }
  const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
  if (target === undefined) {
    console.error(`there is no target "${name}"\n\n${usage}`);
    return 2;
  }
  if (rest.includes('--help')) {
    console.log(tortureUsage(name, target));
    return 0;
  }
  let values: TortureValues;
  try {
    values = parseTortureValues(target, rest);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${tortureUsage(name, target)}`);
    return 2;
  }
  return (await target.run(values)) ? 0 : 1;
}
