import { writeFile } from 'node:fs/promises';
import { Script } from 'node:vm';
import { formatMs, formatNumberOf, formatShare } from '../format/quantity.ts';
import { fromNodeError } from '../pack/node-error.ts';
import { readRelease } from '../pack/site-reader.ts';
import { type Command, parse, UsageError, wholeNumber } from './command.ts';
import { installedBrowser } from './installed-browser.ts';
import { interruptible } from './interruption.ts';
import { type Recording, recordLaunch } from './record-launch.ts';
import { startSiteServer } from './site-server.ts';

const help = `sluice record <site-dir or URL> --out trace.json [options]

Launches the app in a browser without a window, with nothing kept from before, and writes down what it read, in
order: what sluice build --trace takes, so that the next image has the launch in front. Needs Chrome, Chromium or
Edge. What a visitor's own browser has read is the same: JSON of await window.sluice.readLog().

  --out FILE        where to write the trace (needed)
  --ready JS        the launch ends when this is true in the page, such as "document.title === 'Ready'";
                    without it, when nothing was read for --quiet
  --quiet SECONDS   default 3
  --timeout SECONDS after that it is an error; default 120
  --browser PATH    which browser; default CHROME_PATH, or one that is installed

Examples
  sluice record site --out launch.json
  sluice record https://example.org/app/ --out launch.json --ready "window.app?.started"
  sluice build dist --out site --trace launch.json
`;

export const recordCommand: Command = {
  summary: 'launch a site in a browser and write down what it reads',
  help,
  failureStatus: 1,
  async run(args) {
    const { values, argument } = parse(args, 'site directory or URL', {
      out: { type: 'string' },
      ready: { type: 'string' },
      quiet: { type: 'string' },
      timeout: { type: 'string' },
      browser: { type: 'string' },
    });
    const { out, ready } = values;
    if (out === undefined || out === '') throw new UsageError('name the trace file with --out');
    if (ready !== undefined) checkExpression(ready);
    const quietMs = 1000 * wholeNumber(values.quiet ?? '3', 'quiet', 1, 3600);
    const timeoutMs = 1000 * wholeNumber(values.timeout ?? '120', 'timeout', 1, 3600);
    const browser = installedBrowser(values.browser);
    const onProgress = (reads: number): void => {
      if (process.stderr.isTTY) process.stderr.write(`\r${formatNumberOf(reads, 'read')} `);
    };
    const began = performance.now();
    const recording = await interruptible((signal) =>
      atUrl(argument, (url) => recordLaunch({ url, browser, ready, quietMs, timeoutMs, signal, onProgress })),
    );
    if (process.stderr.isTTY) process.stderr.write('\r');
    try {
      await writeFile(out, `${JSON.stringify(recording.log)}\n`);
    } catch (error) {
      throw fromNodeError(error, 'write', out);
    }
    process.stdout.write(summary(recording, performance.now() - began, out));
    return 0;
  },
};

/** What does not compile never comes true. */
function checkExpression(ready: string): void {
  try {
    new Script(`async () => Boolean(${ready})`);
  } catch (error) {
    throw new UsageError(`--ready is no JavaScript expression: ${(error as SyntaxError).message}`);
  }
}

/** A directory is served on this machine meanwhile. */
async function atUrl<T>(site: string, work: (url: string) => Promise<T>): Promise<T> {
  if (/^https?:\/\//.test(site)) return work(site);
  // Says what is wrong with a directory that is no site, before a browser does.
  readRelease(site);
  const server = await startSiteServer({ directory: site, port: 0, prefix: '/' });
  try {
    return await work(server.url);
  } finally {
    await server.close();
  }
}

function summary({ log, totalBlocks }: Recording, ms: number, out: string): string {
  const blocks = new Set(log.reads.map(({ blob, block }) => `${blob}/${block}`));
  const files = new Set(log.reads.map(({ path }) => path));
  const share = `${formatNumberOf(blocks.size, 'block')} of ${totalBlocks} (${formatShare(blocks.size, totalBlocks, 1)})`;
  return `launch  ${formatNumberOf(files.size, 'file')}, ${share}, ${formatMs(ms)}
trace   ${out}: give it to sluice build --trace
`;
}
