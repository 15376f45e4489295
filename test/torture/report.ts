import { columns } from '../../bench/columns.ts';

/** Prints names and values, then what was wrong with the command that does exactly that again. Answers whether nothing was. */
export function report(
  command: string,
  rows: readonly (readonly [name: string, value: string | number])[],
  wrong: readonly string[],
): boolean {
  console.log(
    columns(
      rows.map(([name, value]) => [name, String(value)]),
      1,
    ),
  );
  for (const words of wrong.slice(0, 20)) console.error(words);
  if (wrong.length > 20) console.error(`… and ${wrong.length - 20} more`);
  if (wrong.length > 0) console.error(`again: npm run torture -- ${command}`);
  return wrong.length === 0;
}

/** In MB of a million bytes. */
export function inMB(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export function inPercent(part: number, of: number): string {
  return `${((100 * part) / of).toFixed(2)} %`;
}
