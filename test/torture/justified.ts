import type { Schedule } from './schedule.ts';

/** What may make a read end with a code. */
const causes: Readonly<Record<string, (done: ReadonlySet<string>, schedule: Schedule) => boolean>> = {
  integrity: (done) => ['flip-bit', 'instead'].some((what) => done.has(what)),
  'bad-origin': (done) =>
    [
      'one-byte-short',
      'wrong-content-length',
      'status',
      'html-200',
      'redirect',
      'wrong-content-range',
      'gzip-206',
      'instead',
    ].some((what) => done.has(what)),
  offline: (done) =>
    [
      'cut-before-headers',
      'cut-at',
      'wrong-content-length',
      'refused',
      'reset',
      'closed',
      'network-away',
      // What hangs when everything is mended is reset then.
      'silent',
      'hang',
      'hang-at',
    ].some((what) => done.has(what)),
  // Anything that takes time: the link is slow by itself, and a read may wait for less than two seconds.
  'read-timeout': () => true,
  // A stream, or a request, whose service worker or page has gone. Streams also break off at the failures above.
  'broken off': () => true,
  'no answer': (done) =>
    ['stop-service-worker', 'reload', 'navigate', 'close-tab'].some((what) => done.has(what)),
};

/** The codes that nothing in the schedule explains. */
export function unjustified(schedule: Schedule, failures: Readonly<Record<string, number>>): string[] {
  const done = new Set<string>([
    ...(schedule.origin.share > 0 ? schedule.origin.faults : []),
    ...(schedule.link.share > 0 ? schedule.link.faults : []),
    ...schedule.steps.map(({ action }) => action.type),
  ]);
  return Object.entries(failures).flatMap(([code, count]) =>
    causes[code]?.(done, schedule) ? [] : [`${count} reads ended with ${code}, which nothing explains`],
  );
}
