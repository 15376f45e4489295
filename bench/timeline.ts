import type { TestApp } from '../test/apps/test-app.ts';
import { BrowserProfile } from '../test/support/browser-profile.ts';
import type { LinkLog, LinkShape } from './link.ts';
import { type Mark, type PageStory, readStory, recordMarks } from './page-marks.ts';
import type { ServerKind } from './server.ts';
import { Side, type SideName } from './side.ts';
import { visit } from './visit.ts';

const bucketMs = 250;
/** A link that brings nothing for so long is told of. */
const idleMs = 50;

/** One cold launch of each side, as the page and the link saw it, for people who tune. Times are ms since the navigation began. */
export async function timeline(
  app: TestApp,
  shape: LinkShape,
  kind: ServerKind,
  sides: readonly SideName[],
): Promise<void> {
  for (const name of sides) {
    await using side = await Side.start(name, app, shape, kind);
    const profile = await BrowserProfile.create();
    try {
      const lines = await visit(
        profile,
        side,
        'cold',
        async (page, { readyMs }) => {
          const log = await side.link.log();
          const story = await readStory(page);
          return tell(story, log, readyMs, shape);
        },
        recordMarks,
      );
      console.log([`\n— ${app.name}, ${name}, cold —`, ...lines].join('\n'));
    } finally {
      await profile.remove();
    }
  }
}

function tell(story: PageStory, log: LinkLog, readyMs: number, shape: LinkShape): string[] {
  const start = story.marks[0]?.at ?? log.since;
  const end = start + readyMs;
  const events: Mark[] = [
    ...story.marks,
    ...linkMarks(log),
    ...resourceMarks(story),
    { at: end, what: 'READY' },
  ];
  const told = events.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
  const busyMs = story.longTasks
    .filter(({ startedAt }) => startedAt < end)
    .reduce((sum, { startedAt, ms }) => sum + Math.min(ms, end - startedAt), 0);
  return [
    ...told.map(({ at, what }) => `${(at - start).toFixed(0).padStart(7)}  ${what}`),
    '',
    `main thread in tasks of more than 50 ms, app's page: ${busyMs.toFixed(0)} of ${readyMs.toFixed(0)} ms`,
    `nothing came over the link: ${idleGaps(log, start, end).join(', ') || 'never for long'}`,
    ...buckets(log, start, end, shape),
  ];
}

function linkMarks({ exchanges }: LinkLog): Mark[] {
  return exchanges.flatMap(({ line, range, askedAt, firstAt, lastAt, bytes }) => {
    const short = line.replace(/[0-9a-f]{56}(?=\.bin)/, '…');
    const what = `${short}${range && ` [${range}]`}`;
    const marks = [{ at: askedAt, what: `link: > ${what}` }];
    if (firstAt > 0) {
      const times = `first byte after ${(firstAt - askedAt).toFixed(0)} ms, all after ${(lastAt - askedAt).toFixed(0)} ms`;
      marks.push({ at: lastAt, what: `link: < ${what}, ${kilobytes(bytes)}, ${times}` });
    }
    return marks;
  });
}

function resourceMarks({ resources }: PageStory): Mark[] {
  return resources.flatMap(({ path, startedAt, firstAt, endedAt, bytes }) => {
    const size = bytes > 0 ? `, ${kilobytes(bytes)}` : '';
    const what = `page: ${path} took ${(endedAt - startedAt).toFixed(0)} ms (headers ${(firstAt - startedAt).toFixed(0)})${size}`;
    return [
      { at: startedAt, what: `page: asks for ${path}` },
      { at: endedAt, what },
    ];
  });
}

function idleGaps({ since, sliceMs, slices }: LinkLog, start: number, end: number): string[] {
  const gaps: string[] = [];
  let from = start;
  const note = (to: number): void => {
    if (to - from > idleMs) gaps.push(`${(from - start).toFixed(0)}–${(to - start).toFixed(0)}`);
  };
  slices.forEach((bytes, slice) => {
    const at = since + slice * sliceMs;
    if (bytes === 0 || at > end) return;
    note(at);
    from = at + sliceMs;
  });
  if (from < end) gaps.push(`from ${(from - start).toFixed(0)} on`);
  return gaps;
}

function buckets(
  { since, sliceMs, slices }: LinkLog,
  start: number,
  end: number,
  shape: LinkShape,
): string[] {
  const sums: number[] = Array.from({ length: Math.ceil((end - start) / bucketMs) }, () => 0);
  slices.forEach((bytes, slice) => {
    const bucket = Math.floor((since + slice * sliceMs - start) / bucketMs);
    if (bucket >= 0 && bucket < sums.length) sums[bucket]! += bytes;
  });
  const most = (shape.mbitPerSecond * 1e6 * bucketMs) / 8 / 1000;
  const used = sums.slice(0, sums.findLastIndex((bytes) => bytes > 0) + 1);
  return used.map((bytes, i) => {
    const share = bytes / most;
    const bar = '█'.repeat(Math.round(share * 30));
    return `${String(i * bucketMs).padStart(7)}  ${kilobytes(bytes).padStart(9)} ${(share * 100).toFixed(0).padStart(4)} % ${bar}`;
  });
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`;
}
