import type { InspectedRead, Inspection, InspectionCursor } from '../protocol/inspection.ts';
import { pause } from './pause.ts';

type Color = 'primary' | 'primary-dark' | 'secondary' | 'tertiary' | 'error';

/** Asked so often, or so that it takes a tenth of the time. */
const everyMs = 500;
/** A read that took so long is a stall. */
const stallMs = 100;
/** A page that stays open for days must not gather entries for ever. */
const maxNames = 5000;

/**
 * Shows what the loader does as a track group of Chrome's Performance panel, and as `measure` entries everywhere else, until `signal`: reads, fetches,
 * verifications and stalls, of all tabs of the site, on the page's own axis of time. What the leader still remembers of before comes too.
 */
export async function trackPerformance(
  inspect: (cursor: InspectionCursor | undefined) => Promise<Inspection>,
  signal: AbortSignal,
): Promise<void> {
  const names = new Set<string>();
  const add = (track: string, color: Color, name: string, from: number, to: number, words: Words): void => {
    const { timeOrigin } = performance;
    // It was before this page.
    if (to < timeOrigin) return;
    names.add(name);
    performance.measure(name, {
      start: Math.max(0, from - timeOrigin),
      end: to - timeOrigin,
      detail: {
        devtools: {
          dataType: 'track-entry',
          trackGroup: 'Sluice',
          track,
          color,
          properties: Object.entries(words).map(([key, value]) => [key, String(value)]),
          tooltipText: name,
        },
      },
    });
  };
  signal.addEventListener('abort', () => clear(names));
  let cursor: InspectionCursor | undefined;
  while (!signal.aborted) {
    const began = performance.now();
    if (!document.hidden) {
      try {
        const inspection = await inspect(cursor);
        if (signal.aborted) break;
        cursor = inspection.cursor;
        addEntries(inspection, add);
      } catch (error) {
        console.info('sluice: the performance track has a gap:', error);
      }
    }
    if (names.size > maxNames) clear(names);
    await pause(Math.max(everyMs, 10 * (performance.now() - began)));
  }
}

type Words = Readonly<Record<string, string | number>>;
type Add = (track: string, color: Color, name: string, from: number, to: number, words: Words) => void;

function addEntries({ reads, fetches }: Inspection, add: Add): void {
  for (const { serial, blob, start, end, kind, sent, ended, bytes, blocks, verifyMs, failed } of fetches) {
    if (ended === undefined) continue;
    const words = { blob, range: `${start}–${end}`, bytes, blocks, 'verifying (ms)': verifyMs.toFixed(1) };
    const color = failed ? 'error' : kind === 'demand' ? 'primary-dark' : 'tertiary';
    add('Fetches', color, `${kind} ${serial}`, sent, ended, failed ? { ...words, failed } : words);
  }
  for (const read of reads) {
    const { path, at, waitedMs, failed, steps } = read;
    const words = wordsOf(read);
    add('Reads', failed ? 'error' : 'primary', path, at, at + waitedMs, words);
    if (waitedMs >= stallMs) add('Stalls', failed ? 'error' : 'secondary', path, at, at + waitedMs, words);
    if (steps) add('Verification', 'tertiary', path, steps.arrived, steps.verified, words);
  }
}

function wordsOf({ blob, block, waitedMs, decodeMs, failed }: InspectedRead): Words {
  const decoded = decodeMs === undefined ? {} : { 'decoding (ms)': decodeMs.toFixed(1) };
  return { blob, block, 'waiting (ms)': waitedMs, ...decoded, ...(failed ? { failed } : {}) };
}

function clear(names: Set<string>): void {
  for (const name of names) performance.clearMeasures(name);
  names.clear();
}
