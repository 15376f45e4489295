import {
  formatBytes,
  formatCount,
  formatMs,
  formatNumberOf,
  formatRate,
  formatShare,
} from '../format/quantity.ts';
import {
  type Attributes,
  type BuildOptions,
  type BuildReport,
  build,
  defaultLaunchLevel,
  defaultLevel,
} from '../pack/index.ts';
import { type Command, parse, UsageError, wholeNumber } from './command.ts';
import { interruptible } from './interruption.ts';
import { readJsonFile } from './json-file.ts';
import { ProgressLine } from './progress-line.ts';
import { readTraceFile } from './trace-file.ts';

const help = `sluice build <app-dir> --out <site-dir> [options]

Packs an app directory into a site of static files that any web server can carry: the image in <sha256>.bin
files, a boot page wherever the app has a page, and the runtime. The same input gives the same bytes.
An older site at <site-dir> is replaced when the new one is whole; nothing half-made is ever left.

  --out DIR               where to make the site (needed)
  --codec NAME            zstd (default), lz4 (needs no WebAssembly in the page), none
  --level N               zstd's, 1 to 19, of everything; default ${defaultLaunchLevel} for what a launch reads and ${defaultLevel} for the
                          rest. 15 makes about 5 % less than ${defaultLevel} in five times the time
  --trace FILE…           what launches read, from sluice record or JSON of window.sluice.readLog(): that is stored
                          first, in the order of the first trace, with what the others add woven in. May be given
                          several times; what the app has no more is passed over
  --base DIR              an older site of the app: tells how much of the new one it has already
  --cross-origin-isolate  answer with COOP and COEP, for apps that use SharedArrayBuffer
  --fallback PATH         the file that answers navigations to unknown paths, for single-page apps;
                          the site gets a 404.html, which hosts answer a first visit to one with
  --attributes FILE       JSON: {"<path or glob>": {"mime": "…", "headers": {"<name>": "…"}, "meta": "…"}}
  --blob-size N[k|M]      most bytes of one blob; default 8M
  --threads N             compressing threads; default the processors, at most 16

Examples
  sluice build dist --out site
  sluice build dist --out site --codec lz4 --cross-origin-isolate
  sluice build dist --out site --level 15 --trace launch.json editor.json --base site-of-last-week
  sluice build dist --out site --fallback index.html
`;

export const buildCommand: Command = {
  summary: 'pack an app directory into a site of static files',
  help,
  failureStatus: 1,
  async run(args) {
    const { values, argument } = parse(
      args,
      'app directory',
      {
        out: { type: 'string' },
        codec: { type: 'string' },
        level: { type: 'string' },
        trace: { type: 'string', multiple: true },
        base: { type: 'string' },
        'cross-origin-isolate': { type: 'boolean' },
        fallback: { type: 'string' },
        attributes: { type: 'string' },
        'blob-size': { type: 'string' },
        threads: { type: 'string' },
      },
      'trace',
    );
    const { out, level, trace: traces = [], base, fallback, attributes, threads } = values;
    if (out === undefined || out === '') throw new UsageError('name the site directory with --out');
    const blobSize = values['blob-size'];
    const line = new ProgressLine(process.stderr);
    const options: Omit<BuildOptions, 'signal'> = {
      out,
      codec: codecNamed(values.codec ?? 'zstd'),
      traces: traces.map(readTraceFile),
      crossOriginIsolate: values['cross-origin-isolate'] ?? false,
      onProgress: line.show,
      ...(level === undefined ? {} : { level: wholeNumber(level, 'level', 1, 19) }),
      ...(base === undefined ? {} : { base }),
      ...(fallback === undefined ? {} : { fallback }),
      // Checked by the build.
      ...(attributes === undefined ? {} : { attributes: readJsonFile(attributes) as Attributes }),
      ...(blobSize === undefined ? {} : { blobSize: byteCount(blobSize) }),
      ...(threads === undefined ? {} : { threads: wholeNumber(threads, 'threads', 0, 64) }),
    };
    try {
      const report = await interruptible((signal) => build(argument, { ...options, signal }));
      line.clear();
      process.stdout.write(summary(report, { out, traces: traces.length, base }));
      return 0;
    } finally {
      line.clear();
    }
  },
};

function codecNamed(name: string): 'zstd' | 'lz4' | 'none' {
  if (name === 'zstd' || name === 'lz4' || name === 'none') return name;
  throw new UsageError(`--codec takes zstd, lz4 or none, not "${name}"`);
}

function byteCount(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,12})([kKM]?)$/.exec(text) ?? [];
  if (digits === undefined) throw new UsageError(`--blob-size takes bytes such as 512k or 8M, not "${text}"`);
  return Number(digits) * (unit === 'M' ? 2 ** 20 : unit === '' ? 1 : 2 ** 10);
}

function summary(
  report: BuildReport,
  { out, traces, base }: { out: string; traces: number; base: string | undefined },
): string {
  const { files, directories, logicalBytes, storedBytes, bytes, blobs, blocks } = report;
  const lines = [
    ['site', out],
    ['image', report.image],
    [
      'files',
      `${formatCount(files)} in ${formatNumberOf(directories + 1, 'directory')}, ${formatBytes(logicalBytes)}`,
    ],
    [
      'stored',
      `${formatBytes(storedBytes)} (${formatShare(storedBytes, logicalBytes, 1)}), and ${formatBytes(bytes)} of bootstrap`,
    ],
    ['blobs', `${formatCount(blobs)}, with ${formatNumberOf(blocks, 'block')}`],
  ];
  if (report.duplicateBytes > 0 || report.duplicateFiles > 0) {
    lines.push([
      'twice',
      `${formatNumberOf(report.duplicateFiles, 'file')} and ${formatBytes(report.duplicateBytes)} not stored again`,
    ]);
  }
  if (report.launchFiles > 0) {
    const { launchFiles, launchBlocks, launchBytes } = report;
    lines.push([
      'launch',
      `${formatBytes(launchBytes)} of the ${formatBytes(storedBytes)} (${formatShare(launchBytes, storedBytes, 1)}), ` +
        `${formatNumberOf(launchBlocks, 'block')} (${formatShare(launchBlocks, blocks, 1)}), ` +
        `of ${formatNumberOf(launchFiles, 'file')} (${formatShare(launchFiles, files, 1)}): stored first`,
    ]);
  } else if (traces > 0)
    lines.push(['launch', 'nothing of the traces is in this app: they are of another one']);
  if (report.base !== undefined) {
    lines.push([
      'base',
      `${formatNumberOf(report.base.blobs, 'blob')} of ${formatBytes(report.base.bytes)} are in ${base} as well`,
    ]);
  }
  if (!report.hasEntry)
    lines.push(['entry', 'none: the app has no index.html, so that a visit of its root finds no page']);
  if (report.unmatched.length > 0) {
    const patterns = report.unmatched.map((pattern) => JSON.stringify(pattern)).join(', ');
    lines.push(['unused', `no file matches ${patterns} of the attributes`]);
  }
  lines.push([
    'time',
    `${formatMs(report.elapsedMs)}, ${formatRate((logicalBytes * 1000) / report.elapsedMs)}`,
  ]);
  return lines.map(([name, text]) => `${name!.padEnd(8)}${text}\n`).join('');
}
