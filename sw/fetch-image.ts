import { Image } from '../src/image/image.ts';
import type { BlockSource } from '../src/protocol/block-source.ts';
import type { Clock } from '../src/protocol/clock.ts';
import type { ReleaseRecord } from '../src/protocol/messages.ts';
import { fetchPublished } from '../src/source/fetch-published.ts';
import { retryingInTime } from '../src/source/retrying.ts';

/** From the first try to the last byte. */
const deadlineMs = 30_000;

export interface FetchImageOptions {
  readonly source: BlockSource;
  readonly clock: Clock;
  /** In [0, 1): for jitter. */
  readonly random: () => number;
}

/** The image from the network. Throws what the source throws, `read-timeout` when its bootstrap is not here in time, and what opening it throws. */
export function fetchImage(
  { image, bytes }: ReleaseRecord,
  { source, clock, random }: FetchImageOptions,
): Promise<Image> {
  const file = { sha256: image, length: bytes };
  const late = `The bootstrap of image ${image} did not come within ${deadlineMs} ms`;
  const bring = async (_attempt: number, signal: AbortSignal): Promise<Image> =>
    Image.open(await fetchPublished(source, file, signal), { sha256: image });
  return retryingInTime(bring, { timeoutMs: deadlineMs, clock, random, late });
}
