import type { InspectedFetch } from '../../protocol/inspection.ts';

/** How fast bytes came in the last moments. */
export interface TransferHistory {
  /** Bytes a second in each of the equal parts of the time, oldest first. */
  readonly rates: readonly number[];
  readonly peak: number;
  /** In the newest part. */
  readonly now: number;
}

/** Of the last `spanMs` before `now`, from what requests have brought: the bytes of each are taken to have come evenly between its first byte and its end. */
export function transferHistory(
  fetches: readonly InspectedFetch[],
  now: number,
  spanMs = 60_000,
  parts = 120,
): TransferHistory {
  const bytes = new Float64Array(parts);
  const partMs = spanMs / parts;
  const begin = now - spanMs;
  for (const { answered, ended = now, bytes: brought } of fetches) {
    if (answered === undefined || ended <= begin || brought === 0) continue;
    // What came within no time came within one part.
    const length = Math.max(ended - answered, 1);
    const first = Math.max(0, Math.floor((answered - begin) / partMs));
    const last = Math.min(parts - 1, Math.floor((answered + length - begin) / partMs));
    for (let part = first; part <= last; part++) {
      const from = Math.max(answered, begin + part * partMs);
      const to = Math.min(answered + length, begin + (part + 1) * partMs);
      bytes[part]! += (brought * Math.max(0, to - from)) / length;
    }
  }
  const rates = Array.from(bytes, (amount) => (amount / partMs) * 1000);
  return { rates, peak: Math.max(0, ...rates), now: rates.at(-1) ?? 0 };
}
