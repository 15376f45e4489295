import type { LinkView } from './link-view.ts';

/** A launch that needs this share of the image needs it all, nearly. */
const mostOfIt = 0.8;
/** What the link brings in so long is fetched at once: to be lazy would save less than the round trips cost that it takes. */
const eagerMs = 1000;
/** But no more than this: on a fast link it is the processor that a launch has to share. */
const eagerMostBytes = 8 * 1024 * 1024;
/** As long as the link is not known. */
const eagerUnmeasuredBytes = 2 * 1024 * 1024;

/**
 * Whether all of an image is fetched as what its launch needs is: at once and in order, without waiting for a calm moment. Bytes are stored ones. Where it is
 * known what a launch needs (`launchBytes`), little is lost by being lazy, and the rest would take the processor's time from it: of a PDF viewer,
 * cold, 1.3 to 1.7 s as 2.4 to 3.3 MB came until it was ready.
 */
export function isEager(storedBytes: number, launchBytes: number | undefined, { rate }: LinkView): boolean {
  if (launchBytes !== undefined) return launchBytes >= mostOfIt * storedBytes;
  const quickly = rate === 0 ? eagerUnmeasuredBytes : Math.min(eagerMostBytes, (rate * eagerMs) / 1000);
  return storedBytes <= quickly;
}
