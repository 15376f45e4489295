import { parseArgs } from 'node:util';

/** An option of a target: a whole number, not negative. */
export interface TortureOption {
  readonly default: number;
  /** Half a line. */
  readonly means: string;
}

/** The value of each option of a target, by its name. */
export type TortureValues<Name extends string = string> = Readonly<Record<Name, number>>;

/** One way to torture the package as it is built: a file of its own, and a line in main.ts. */
export interface TortureTarget {
  /** One line. */
  readonly summary: string;
  readonly options: Readonly<Record<string, TortureOption>>;
  /** Prints its figures as a small table, and of whatever was wrong its seed. Answers whether all was right. */
  run(values: TortureValues): Promise<boolean>;
}

/** A target, with the names of its options checked against their uses. */
export function tortureTarget<const Name extends string>(target: {
  readonly summary: string;
  readonly options: Readonly<Record<Name, TortureOption>>;
  run(values: TortureValues<Name>): Promise<boolean>;
}): TortureTarget {
  return target;
}

/** The options of every target of seeded scenarios: these have the seeds [seed, seed + runs). */
export function seededOptions(
  runs: number,
  what: string,
): { readonly runs: TortureOption; readonly seed: TortureOption } {
  return {
    runs: { default: runs, means: `how many ${what}` },
    seed: { default: 1, means: 'of the first one; each that follows has the next' },
  };
}

/** Throws an Error with what is wrong about the arguments. */
export function parseTortureValues({ options }: TortureTarget, args: readonly string[]): TortureValues {
  const strings = Object.fromEntries(Object.keys(options).map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({ args: [...args], options: strings });
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => {
      const given = values[name];
      if (given === undefined) return [name, option.default];
      if (typeof given !== 'string' || !/^\d{1,15}$/.test(given)) {
        throw new Error(`--${name}: a whole number, not ${JSON.stringify(given)}`);
      }
      return [name, Number(given)];
    }),
  );
}

/** How a target is called. */
export function tortureUsage(name: string, { summary, options }: TortureTarget): string {
  const lines = Object.entries(options).map(
    ([option, { means, default: value }]) => `  ${`--${option} N`.padEnd(14)}${means} (default ${value})`,
  );
  return [`npm run torture -- ${name} [options]`, `  ${summary}`, ...lines].join('\n');
}
