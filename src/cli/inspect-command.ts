import { type Inspection, inspect } from '../pack/index.ts';
import { type Command, parse } from './command.ts';
import { formatBytes, formatCount, formatNumberOf, formatShare } from './quantity.ts';

const help = `sluice inspect <site-dir> [--json]

Tells what an image consists of: superblock, counts, sizes and ratio, what is stored once for several files, blocks
by codec and size. Reads the metadata only. --json gives the same to programs.

Examples
  sluice inspect site
  sluice inspect site --json | jq .ratio
`;

export const inspectCommand: Command = {
  summary: 'tell what an image consists of',
  help,
  failureStatus: 1,
  async run(args) {
    const { values, argument } = parse(args, 'site directory', { json: { type: 'boolean' } });
    const inspection = await inspect(argument);
    process.stdout.write(values.json ? `${JSON.stringify(inspection, undefined, 2)}\n` : text(inspection));
    return 0;
  },
};

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
      `${formatBytes(logicalBytes)}, stored in ${formatBytes(storedBytes)} (${formatShare(storedBytes, logicalBytes)})`,
    ],
    ['twice', `${formatBytes(inspection.duplicateBytes)} not stored again`],
    ['extents', formatCount(superblock.extentCount)],
    ['blobs', `${formatCount(inspection.blobs)}, with ${formatNumberOf(inspection.blocks, 'block')}`],
    ['launch set', `${formatNumberOf(launchSet.files, 'file')}, ${formatBytes(launchSet.bytes)}`],
  ];
  if (fallback !== undefined) lines.push(['fallback', fallback]);
  for (const [name, { blocks, logicalBytes, storedBytes }] of Object.entries(codecs)) {
    const sizes = `${formatBytes(logicalBytes)} in ${formatBytes(storedBytes)} (${formatShare(storedBytes, logicalBytes)})`;
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
