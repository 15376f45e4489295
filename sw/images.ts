import { SluiceError } from '../src/format/errors.ts';
import type { Image } from '../src/image/image.ts';
import type { ReleaseRecord } from '../src/protocol/messages.ts';

/** Where an image may be opened from, its digest verified; undefined = not here. */
export type ImagePlace = (release: ReleaseRecord) => Promise<Image | undefined>;

/** The current one, and one that older tabs are still bound to. */
const maxOpen = 2;

/** Open images by id. Each is opened once, however many requests wait for it, from the first place that has its true bytes. */
export class Images {
  readonly #places: readonly ImagePlace[];
  readonly #onOpen: (image: Image) => void;
  /** Least recently used first. */
  readonly #open = new Map<string, Image>();
  readonly #opening = new Map<string, Promise<Image>>();

  /** `places` in the order in which they are asked; `onOpen` is told of each image that was opened. */
  constructor(places: readonly ImagePlace[], onOpen: (image: Image) => void) {
    this.#places = places;
    this.#onOpen = onOpen;
  }

  /** The image if it is open. */
  peek(id: string): Image | undefined {
    const image = this.#open.get(id);
    if (image) {
      this.#open.delete(id);
      this.#open.set(id, image);
    }
    return image;
  }

  /** Throws the last place's error, or the one of true bytes that cannot be used. */
  async open(release: ReleaseRecord): Promise<Image> {
    const id = release.image;
    const opening = this.#opening.get(id);
    if (opening) return opening;
    const open = this.peek(id);
    if (open) return open;
    const started = this.#openFromPlaces(release).finally(() => this.#opening.delete(id));
    this.#opening.set(id, started);
    return started;
  }

  async #openFromPlaces(release: ReleaseRecord): Promise<Image> {
    let failure: unknown = new SluiceError('unreadable', `No place has the image ${release.image}`);
    for (const place of this.#places) {
      try {
        const image = await place(release);
        if (!image) continue;
        this.#keep(image);
        return image;
      } catch (error) {
        failure = error;
        // The true bytes are damaged or too new wherever they come from; anything else may be better elsewhere.
        if (error instanceof SluiceError && isVerdict(error)) break;
      }
    }
    throw failure;
  }

  #keep(image: Image): void {
    this.#open.set(image.id, image);
    this.#onOpen(image);
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= maxOpen) break;
      this.#open.delete(oldest);
    }
  }
}

function isVerdict({ code }: SluiceError): boolean {
  return code === 'unsupported-image' || code === 'corrupt-image' || code === 'not-an-image';
}
