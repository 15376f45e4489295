import { BlockTable } from '../format/block-table.ts';
import { SluiceError } from '../format/errors.ts';
import type { FsmapFlag, FsmapPage, FsmapQuery } from '../format/fsmap.ts';
import { hex, sha256 } from '../format/sha256.ts';
import { type FsmapBlob, type FsmapFile, fsmapPage } from '../image/fsmap.ts';
import { ReverseMap } from '../image/reverse-map.ts';
import type { Clock } from '../protocol/clock.ts';
import type { BlobFile, StoreFile } from '../store/store-file.ts';
import type { KnownImages } from './known-images.ts';
import type { LocalBlocks } from './local-blocks.ts';

/** The reverse maps of a walk that does not go on are let go of. */
const idleMs = 60_000;

/** An image that owns blocks, as it was at a change of its tree. */
interface Owner {
  readonly map: ReverseMap;
  readonly sequence: number;
  /** The index of each of its blobs, private ones included, by SHA-256. */
  readonly indices: ReadonlyMap<string, number>;
}

/**
 * The map of the local store: what lies where in its files, in physical order, and which files of which images own it (XFS's GETFSMAP). A
 * walk is resumed by key and sees what is true when each page is made: between two pages blobs may come and go.
 */
export class StoreMap {
  readonly #images: KnownImages;
  readonly #local: LocalBlocks;
  readonly #clock: Clock;
  readonly #owners = new Map<string, Owner>();
  #stopIdle: (() => void) | undefined;

  constructor(images: KnownImages, local: LocalBlocks, clock: Clock) {
    this.#images = images;
    this.#local = local;
    this.#clock = clock;
  }

  async page(query: FsmapQuery): Promise<FsmapPage> {
    this.#stopIdle?.();
    const owners = await this.#allOwners();
    const files = this.#local.files().sort((a, b) => (a.name < b.name ? -1 : 1));
    const page = await fsmapPage(
      files.map((file) => this.#file(file, owners)),
      query,
    );
    if (page.next === undefined) this.#owners.clear();
    else this.#stopIdle = this.#clock.after(idleMs, () => this.#owners.clear());
    return page;
  }

  /** Nothing is kept, and no timer runs, any more. */
  close(): void {
    this.#stopIdle?.();
    this.#owners.clear();
  }

  async #allOwners(): Promise<Owner[]> {
    const owners: Owner[] = [];
    for (const id of this.#images.ids()) {
      const owner = await this.#owner(id);
      if (owner) owners.push(owner);
    }
    return owners;
  }

  async #owner(id: string): Promise<Owner | undefined> {
    const known = this.#owners.get(id);
    if (known && known.sequence === this.#local.overlay(id).sequence) return known;
    const tree = await this.#images.tree(id);
    if (!tree) return undefined;
    const { image, overlay } = tree;
    const indices = new Map(Array.from({ length: image.blobCount }, (_, i) => [image.blob(i).sha256, i]));
    for (const [inode, { blob }] of overlay.files())
      indices.set(blob, image.blobCount + inode - image.inodeCount);
    const owner: Owner = { map: ReverseMap.of(tree), sequence: overlay.sequence, indices };
    this.#owners.set(id, owner);
    return owner;
  }

  #file(file: StoreFile, owners: readonly Owner[]): FsmapFile {
    if (file.kind !== 'blob') return { ...file, flags: [file.kind === 'journal' ? 'journal' : 'metadata'] };
    const { description, presence, pinned } = file;
    const flags: FsmapFlag[] = [presence.sealed ? 'sealed' : 'partial'];
    if (pinned) flags.push('pinned');
    const blob = async (): Promise<FsmapBlob> => {
      const users = owners.flatMap(({ map, indices }) => {
        const index = indices.get(description.sha256);
        return index === undefined ? [] : [{ map, blob: index }];
      });
      const { tableLength } = description;
      const has = (block: number): boolean => (block === -1 ? presence.hasTable : presence.has(block));
      return { tableLength, table: await this.#table(file), has, users };
    };
    return { name: file.name, length: description.length, flags, blob };
  }

  async #table({ description }: BlobFile): Promise<BlockTable | undefined> {
    if (description.blockSize !== undefined) return BlockTable.fixed({ ...description, tableSha256: '' });
    const bytes = await this.#local.readTable(description.sha256);
    if (!bytes) return undefined;
    try {
      // Which digest it must have is for its readers to know: where things lie is told even of a blob that no image needs.
      return await BlockTable.open(bytes, { ...description, tableSha256: hex(await sha256(bytes)) });
    } catch (error) {
      // Spoilt on this disk, and with it what lies behind it.
      if (error instanceof SluiceError) return undefined;
      throw error;
    }
  }
}
