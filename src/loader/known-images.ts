import { type ErrorCode, SluiceError } from '../format/errors.ts';
import { Image } from '../image/image.ts';
import { MountedTree } from '../image/mounted-tree.ts';
import type { Engine } from './engine.ts';
import type { LocalBlocks } from './local-blocks.ts';

/** What is published as one image. */
export interface ImageFacts {
  /** SHA-256 of each. */
  readonly blobs: ReadonlySet<string>;
  /** Of all of them. */
  readonly storedBytes: number;
}

/**
 * Every image that the store has or the engine serves: what is given back, or mapped, may be needed by any of them. One that nobody has mounted is
 * opened for as long as its tree is looked at.
 */
export class KnownImages {
  readonly #engine: Engine;
  readonly #local: LocalBlocks;
  /** By image: an image never changes, so that this need not be looked up again. */
  readonly #facts = new Map<string, ImageFacts>();
  /** Why images cannot be read, which was told. */
  readonly #failures = new Map<string, ErrorCode>();

  constructor(engine: Engine, local: LocalBlocks) {
    this.#engine = engine;
    this.#local = local;
  }

  ids(): string[] {
    return [...new Set([...this.#engine.mounted(), ...this.#local.images.stored()])];
  }

  /** Undefined where its bootstrap cannot be read here (spoilt, of a newer release, not stored). */
  async tree(id: string): Promise<MountedTree | undefined> {
    const mounted = this.#engine.mountOf(id);
    if (mounted) return mounted.tree;
    const bytes = await this.#local.images.read(id);
    if (!bytes) return undefined;
    try {
      return new MountedTree(await Image.open(bytes, { sha256: id }), this.#local.overlay(id));
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      if (!this.#failures.has(id)) this.#engine.report(error);
      this.#failures.set(id, error.code);
      return undefined;
    }
  }

  /** When its bootstrap was read last, its bytes were not the published ones: nobody can open it. */
  isSpoilt(id: string): boolean {
    return this.#failures.get(id) === 'integrity';
  }

  /** SHA-256 of the published blobs of an image; undefined where that cannot be told. */
  async blobsOf(id: string): Promise<ReadonlySet<string> | undefined> {
    return (await this.factsOf(id))?.blobs;
  }

  /** Undefined where they cannot be told. */
  async factsOf(id: string): Promise<ImageFacts | undefined> {
    return this.knownFactsOf(id) ?? this.#remember(id, (await this.tree(id))?.image);
  }

  /** The same, as far as they are known without a look at the store: of what is mounted, and of what was asked for before. */
  knownFactsOf(id: string): ImageFacts | undefined {
    return this.#facts.get(id) ?? this.#remember(id, this.#engine.mountOf(id)?.image);
  }

  #remember(id: string, image: Image | undefined): ImageFacts | undefined {
    if (!image) return undefined;
    const blobs = new Set(Array.from(image.blobs(), ({ sha256 }) => sha256));
    const facts = { blobs, storedBytes: image.superblock.storedBytes };
    this.#facts.set(id, facts);
    return facts;
  }
}
