import { formatCount } from '../format/quantity.ts';
import type { FsmapOwner, FsmapRow, PublishedMap } from '../pack/index.ts';

/** Most owners that are shown for one block. */
const shownOwners = 3;

/** For people: a heading for each file, a line for each row. */
export async function* fsmapTable({ rows }: PublishedMap): AsyncGenerator<string, void, undefined> {
  let file: string | undefined;
  for await (const row of rows) {
    if (row.file !== file) {
      yield `${file === undefined ? '' : '\n'}${row.file}\n`;
      yield line('start', 'end', 'block', 'flags', 'owners, with bytes of the file');
      file = row.file;
    }
    yield line(
      formatCount(row.start),
      formatCount(row.end),
      row.block === undefined ? '-' : formatCount(row.block),
      row.flags.join(','),
      ownersOf(row),
    );
  }
}

/** For programs: one JSON document, a row a line. */
export async function* fsmapJson({ image, rows }: PublishedMap): AsyncGenerator<string, void, undefined> {
  yield `{"image":${JSON.stringify(image)},"rows":[`;
  let separator = '\n';
  for await (const row of rows) {
    yield `${separator}${JSON.stringify(row)}`;
    separator = ',\n';
  }
  yield '\n]}\n';
}

function line(start: string, end: string, block: string, flags: string, owners: string): string {
  return `${start.padStart(12)}${end.padStart(12)}${block.padStart(8)}  ${flags.padEnd(9)} ${owners}`
    .trimEnd()
    .concat('\n');
}

function ownersOf({ owners }: FsmapRow): string {
  const shown = owners.slice(0, shownOwners).map(ownerText).join(', ');
  const more = owners.length - shownOwners;
  return more > 0 ? `${shown} and ${formatCount(more)} more` : shown;
}

function ownerText({ path, start, end }: FsmapOwner): string {
  return `${path} [${formatCount(start)}, ${formatCount(end)})`;
}
