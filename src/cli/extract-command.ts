import { formatBytes, formatNumberOf } from '../format/quantity.ts';
import { extract } from '../pack/index.ts';
import { type Command, parse, UsageError } from './command.ts';
import { interruptible } from './interruption.ts';
import { ProgressLine } from './progress-line.ts';

const help = `sluice extract <site-dir> --out <dir>

Writes the app directory out of a site again, byte for byte, empty directories too. Every block is verified.
<dir> must not be there yet, or be empty; nothing half-made is left.

Example
  sluice extract site --out app-again && diff -r app app-again
`;

export const extractCommand: Command = {
  summary: 'write the app directory out of a site again',
  help,
  failureStatus: 1,
  async run(args) {
    const { values, argument } = parse(args, 'site directory', { out: { type: 'string' } });
    const { out } = values;
    if (out === undefined || out === '') throw new UsageError('name the directory to make with --out');
    const line = new ProgressLine(process.stderr);
    try {
      const report = await interruptible((signal) =>
        extract(argument, { out, onProgress: line.show, signal }),
      );
      line.clear();
      const { files, directories, bytes } = report;
      process.stdout.write(
        `${out}: ${formatNumberOf(files, 'file')} in ${formatNumberOf(directories + 1, 'directory')}, ${formatBytes(bytes)}\n`,
      );
      return 0;
    } finally {
      line.clear();
    }
  },
};
