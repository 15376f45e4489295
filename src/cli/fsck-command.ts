import { formatBytes, formatNumberOf } from '../format/quantity.ts';
import { type FsckReport, fsck } from '../pack/index.ts';
import { type Command, parse } from './command.ts';
import { interruptible } from './interruption.ts';
import { ProgressLine } from './progress-line.ts';

const help = `sluice fsck <site-dir>

Verifies a site: the release pointer, the bootstrap, every block table and every block against its digest, that every
block decodes, every reference, every name; and that the boot pages, the service worker and the files in __sluice/
(the inspector's, too) are there and of one build. Reads everything once. Names what is wrong, and the paths of the
app that cannot be read because of it.

Exit status: 0 clean, 1 problems, 2 the site cannot be read.

Example
  rsync -a site/ server:/var/www/game/ && ssh server sluice fsck /var/www/game
`;

export const fsckCommand: Command = {
  summary: 'verify every digest and reference of a site',
  help,
  failureStatus: 2,
  async run(args) {
    const { argument } = parse(args, 'site directory', {});
    const line = new ProgressLine(process.stderr);
    try {
      const report = await interruptible((signal) => fsck(argument, { onProgress: line.show, signal }));
      line.clear();
      process.stdout.write(resultText(report));
      return report.problems.length === 0 ? 0 : 1;
    } finally {
      line.clear();
    }
  },
};

function resultText({ image, files, blobs, blocks, bytes, problems, unreferenced }: FsckReport): string {
  const lines: string[] = [];
  for (const { file, message, paths } of problems) {
    lines.push(`${file === '' ? `image ${image}` : file}: ${message}`);
    for (const path of paths) lines.push(`  damaged: ${path}`);
  }
  for (const name of unreferenced) lines.push(`note: ${name} does not belong to this image`);
  const checked = `${formatNumberOf(files, 'file')}, ${formatNumberOf(blobs, 'blob')}, ${formatNumberOf(blocks, 'block')}, ${formatBytes(bytes)}`;
  lines.push(
    problems.length === 0 ? `clean: ${checked}` : `${formatNumberOf(problems.length, 'problem')}: ${checked}`,
  );
  return `${lines.join('\n')}\n`;
}
