import { formatBytes, formatCount, formatNumberOf, formatShare } from '../format/quantity.ts';
import { type Inspection, inspect, publishedMap } from '../pack/index.ts';
import { type Command, parse } from './command.ts';
import { fsmapJson, fsmapTable } from './fsmap-text.ts';
import { writeOut } from './write-out.ts';

const help = `sluice inspect <site-dir> [--fsmap] [--json]

Tells what an image consists of: superblock, counts, sizes and ratio, what is stored once for several files, what a
recorded launch needs, blocks by codec and size. Reads the metadata only. --json gives the same to programs.

--fsmap prints instead whose bytes are where: the bootstrap, then blob by blob its block table and each block, as
bytes [start, end) of the file, with the files (and which of their bytes) that the block holds. Flags: "metadata" for
tables and bootstrap, "shared" for a block with more than one owner: small files together, or equal files stored once.

Examples
  sluice inspect site
  sluice inspect site --json | jq .ratio
  sluice inspect site --fsmap | less
  sluice inspect site --fsmap --json | jq '.rows[] | select(any(.owners[]; .path == "index.html"))'
`;

export const inspectCommand: Command = {
  summary: 'tell what an image consists of',
  help,
  failureStatus: 1,
  async run(args) {
    const { values, argument } = parse(args, 'site directory', {
      fsmap: { type: 'boolean' },
      json: { type: 'boolean' },
    });
    if (values.fsmap) {
      const map = await publishedMap(argument);
      await writeOut(values.json ? fsmapJson(map) : fsmapTable(map));
      return 0;
    }
    const inspection = await inspect(argument);
    process.stdout.write(values.json ? `${JSON.stringify(inspection, undefined, 2)}\n` : text(inspection));
    return 0;
  },
};

function launchText({ launchSet, storedBytes, blocks, files }: Inspection): string {
  const share = `${formatBytes(launchSet.bytes)} (${formatShare(launchSet.bytes, storedBytes, 1)})`;
  const inBlocks = `${formatNumberOf(launchSet.blocks, 'block')} (${formatShare(launchSet.blocks, blocks, 1)})`;
  return `${share} in ${inBlocks}, of ${formatNumberOf(launchSet.files, 'file')} (${formatShare(launchSet.files, files, 1)})`;
}

function text(inspection: Inspection): string {
  const { superblock, logicalBytes, storedBytes, codecs, blockSizes, launchSet, fallback } = inspection;
  const lines: [name: string, text: string][] = [
    ['image', inspection.image],
    [
      'bootstrap',
      `${formatBytes(inspection.bootstrapBytes)}, ${formatBytes(superblock.bodyLength)} inflated`,
    ],
    [
      'features',
      `compat ${superblock.compat}, incompat ${superblock.incompat}${inspection.crossOriginIsolate ? ', cross-origin isolated' : ''}`,
    ],
    [
      'files',
      `${formatCount(inspection.files)} in ${formatNumberOf(inspection.directories + 1, 'directory')}`,
    ],
    [
      'bytes',
      `${formatBytes(logicalBytes)}, stored in ${formatBytes(storedBytes)} (${formatShare(storedBytes, logicalBytes, 1)})`,
    ],
    ['twice', `${formatBytes(inspection.duplicateBytes)} not stored again`],
    ['extents', formatCount(superblock.extentCount)],
    ['blobs', `${formatCount(inspection.blobs)}, with ${formatNumberOf(inspection.blocks, 'block')}`],
    ['launch set', launchSet.blocks === 0 ? 'none: it was built without a trace' : launchText(inspection)],
  ];
  if (fallback !== undefined) lines.push(['fallback', fallback]);
  for (const [name, { blocks, logicalBytes, storedBytes }] of Object.entries(codecs)) {
    const sizes = `${formatBytes(logicalBytes)} in ${formatBytes(storedBytes)} (${formatShare(storedBytes, logicalBytes, 1)})`;
    lines.push([name, `${formatNumberOf(blocks, 'block')}, ${sizes}`]);
  }
  const most = Math.max(1, ...Object.values(blockSizes));
  for (const [size, count] of Object.entries(blockSizes)) {
    const kibibytes = Number(size) / 1024;
    const label = kibibytes < 1 ? `≤ ${size} B` : `≤ ${kibibytes} KiB`;
    lines.push([label, `${formatCount(count).padStart(8)} ${'█'.repeat(Math.ceil((40 * count) / most))}`]);
  }
  return lines.map(([name, value]) => `${name.padEnd(12)}${value}\n`).join('');
}
