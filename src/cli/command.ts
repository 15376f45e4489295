import { type ParseArgsConfig, parseArgs } from 'node:util';

export interface Command {
  /** One line. */
  readonly summary: string;
  readonly help: string;
  /** The exit status of a command that could not do its work. */
  readonly failureStatus: number;
  /** Gives the exit status. */
  run(args: readonly string[]): Promise<number>;
}

/** The command line itself is wrong: exit status 2. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;

/** `node:util`'s parser, strict, with exactly one positional argument, `<what>`. */
export function parse<const T extends Options>(
  args: readonly string[],
  what: string,
  options: T,
): {
  readonly values: ReturnType<
    typeof parseArgs<{ options: T; allowPositionals: true; strict: true }>
  >['values'];
  readonly argument: string;
} {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
    });
    const [argument, extra] = positionals;
    if (argument === undefined || argument === '') throw new UsageError(`name the ${what}`);
    if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many`);
    return { values, argument };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // parseArgs throws nothing but TypeErrors about the arguments.
    throw new UsageError(error instanceof Error ? firstSentence(error.message) : String(error));
  }
}

function firstSentence(message: string): string {
  return message.split('. ')[0]!.replace(/\.$/, '');
}

/** A whole number of at least `min` and at most `max`. */
export function wholeNumber(text: string, option: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`--${option} takes a whole number from ${min} to ${max}, not "${text}"`);
}
