import { SluiceError } from '../format/errors.ts';
import { Image } from '../image/image.ts';
import type { BlockSource } from '../protocol/block-source.ts';
import type { Clock } from '../protocol/clock.ts';
import type { ReleaseRecord } from '../protocol/messages.ts';
import { fetchPublished } from '../source/fetch-published.ts';
import { retrying } from '../source/retrying.ts';
import type { LocalImages } from './local-images.ts';

/** For a bootstrap, from the first try to the last. */
const bootstrapDeadlineMs = 45_000;

export interface BootstrapsOptions {
  readonly source: BlockSource;
  readonly images: LocalImages;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Opens images: from the store where they are there, else from the network, and then they are stored. Each once. */
export class Bootstraps {
  readonly #options: BootstrapsOptions;
  readonly #lengths = new Map<string, number>();
  readonly #opening = new Map<string, Promise<Image>>();

  constructor(options: BootstrapsOptions) {
    this.#options = options;
  }

  /**
   * The verified image. `bytes` is the length of its bootstrap, where it is known: without it only the store can have it (`unreadable`
   * otherwise). A failure is not remembered.
   */
  open(image: string, bytes: number | undefined): Promise<Image> {
    if (bytes !== undefined) this.#lengths.set(image, bytes);
    const known = this.#opening.get(image);
    if (known) return known;
    const opening = this.#open(image);
    this.#opening.set(image, opening);
    opening.catch(() => this.#opening.delete(image)); // Whoever asked is told.
    return opening;
  }

  /** Whether the image was opened, or is just being opened: then what is stored of it is not looked for again. */
  isOpen(image: string): boolean {
    return this.#opening.has(image);
  }

  /** The bootstrap as published. */
  async read(image: string): Promise<Uint8Array<ArrayBuffer>> {
    await this.open(image, undefined);
    const bytes = await this.#options.images.read(image);
    if (!bytes) throw new SluiceError('unreadable', `The bootstrap of image ${image} is not stored`);
    return bytes;
  }

  /** Brings the bootstrap once more, in the place of what is stored of it. Nothing changes before it is here and verified. Throws as {@link open}. */
  async restore(release: ReleaseRecord): Promise<void> {
    const { images } = this.#options;
    let published: Uint8Array<ArrayBuffer> | undefined;
    await this.#bring(release, async (bytes) => {
      published = bytes;
    });
    if (published) await images.replace(release.image, published);
  }

  async #open(image: string): Promise<Image> {
    const { images } = this.#options;
    const stored = await images.read(image);
    const opened = stored && (await openUnlessSpoilt(stored, image));
    if (opened) return opened;
    // Asked for only now: whoever knows the length may have come while the store was read.
    const bytes = this.#lengths.get(image);
    if (bytes === undefined) {
      throw new SluiceError('unreadable', `Image ${image} is not stored, and nobody has told its length`);
    }
    return this.#fetch({ image, bytes }, stored !== undefined);
  }

  /** `isSpoilt`: what is stored of it is not to be believed. */
  #fetch(release: ReleaseRecord, isSpoilt: boolean): Promise<Image> {
    const { images } = this.#options;
    return this.#bring(release, (published) => images.add(release.image, published, isSpoilt));
  }

  async #bring(
    { image, bytes }: ReleaseRecord,
    keep: (published: Uint8Array<ArrayBuffer>) => Promise<void>,
  ): Promise<Image> {
    const { source, clock, random, signal } = this.#options;
    const bring = async (attempt: number): Promise<Image> => {
      const file = { sha256: image, length: bytes };
      // The boot page's markup has asked for it before any script ran. What was kept and is wrong is not asked for again.
      const published = await fetchPublished(source, file, signal, { cached: attempt === 0 });
      const opened = await Image.open(published, { sha256: image });
      await keep(published);
      return opened;
    };
    return retrying(bring, { timeoutMs: bootstrapDeadlineMs, clock, random, signal });
  }
}

/** Undefined for bytes that are not (or no longer) the published ones: they are fetched again. */
async function openUnlessSpoilt(bytes: Uint8Array<ArrayBuffer>, image: string): Promise<Image | undefined> {
  try {
    return await Image.open(bytes, { sha256: image });
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'integrity') return undefined;
    throw error;
  }
}
