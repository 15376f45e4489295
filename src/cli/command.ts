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

/**
 * `node:util`'s parser, strict, with exactly one positional argument, `<what>`. Behind the option named `list`, which may be given several
 * times, may be several values, as a shell's pattern gives them.
 */
export function parse<const T extends Options>(
  args: readonly string[],
  what: string,
  options: T,
  list?: keyof T & string,
): {
  readonly values: ReturnType<
    typeof parseArgs<{ options: T; allowPositionals: true; strict: true }>
  >['values'];
  readonly argument: string;
} {
  try {
    const { values, tokens } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
      tokens: true,
    });
    const { positionals, listed } = sorted(tokens, list);
    if (list !== undefined && listed.length > 0) Object.assign(values, { [list]: listed });
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

interface Token {
  readonly kind: string;
  readonly name?: string;
  readonly value?: string | undefined;
}

/** Values behind the option `list` are its own, except one that stands alone where nothing else is the argument. */
function sorted(
  tokens: readonly Token[],
  list: string | undefined,
): { readonly positionals: readonly string[]; readonly listed: readonly string[] } {
  const positionals: string[] = [];
  const listed: { readonly value: string; readonly follows: boolean }[] = [];
  let inList = false;
  for (const { kind, name, value } of tokens) {
    const follows = kind === 'positional';
    if (!follows) inList = kind === 'option' && name === list;
    if (value === undefined) continue;
    if (inList) listed.push({ value, follows });
    else if (follows) positionals.push(value);
  }
  const alone = listed.filter(({ follows }) => follows);
  const argument = positionals.length === 0 && alone.length === 1 ? alone[0] : undefined;
  return {
    positionals: argument === undefined ? positionals : [argument.value],
    listed: listed.filter((one) => one !== argument).map(({ value }) => value),
  };
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
