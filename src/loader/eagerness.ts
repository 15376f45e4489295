import type { LinkView } from './link-view.ts';

/** A launch that needs this share of the image needs it all, nearly. */
const mostOfIt = 0.8;
/** What the link brings in so long is fetched at once: to be lazy would save less than the round trips cost that it takes. */
const eagerMs = 1000;
/** But no more than this: on a fast link it is the processor that a launch has to share. */
const eagerMostBytes = 8 * 1024 * 1024;
/** As long as the link is not known. */
const eagerUnmeasuredBytes = 2 * 1024 * 1024;

/** Whether all of an image is fetched as what its launch needs is: at once and in order, without waiting for a calm moment. Bytes are stored ones. */
export function isEager(storedBytes: number, launchBytes: number, { rate }: LinkView): boolean {
  if (launchBytes >= mostOfIt * storedBytes) return true;
  const quickly = rate === 0 ? eagerUnmeasuredBytes : Math.min(eagerMostBytes, (rate * eagerMs) / 1000);
  return storedBytes <= quickly;
}
