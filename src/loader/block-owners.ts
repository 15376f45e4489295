import type { BlobRecord } from '../format/blob-record.ts';
import type { MountedTree } from '../image/mounted-tree.ts';
import { ReverseMap } from '../image/reverse-map.ts';
import type { KnownImages } from './known-images.ts';
import type { LocalBlocks } from './local-blocks.ts';

/** An image that owns blocks, as it was at a change of its tree. */
export interface BlockOwner {
  readonly tree: MountedTree;
  /** Made when it is first asked for. */
  readonly map: ReverseMap;
  readonly sequence: number;
  /** The index of each of its blobs, private ones included, by SHA-256. */
  readonly indices: ReadonlyMap<string, number>;
}

/** The reverse maps of all images that the store has or the engine serves, made when they are first asked for and kept until cleared. */
export class BlockOwners {
  readonly #images: KnownImages;
  readonly #local: LocalBlocks;
  readonly #owners = new Map<string, BlockOwner>();
  /** Images that could not be opened. */
  readonly #unknown = new Set<string>();

  constructor(images: KnownImages, local: LocalBlocks) {
    this.#images = images;
    this.#local = local;
  }

  /** Of the images as they are now. */
  async all(): Promise<BlockOwner[]> {
    const owners: BlockOwner[] = [];
    for (const id of this.#images.ids()) {
      const owner = await this.#owner(id);
      if (owner) owners.push(owner);
    }
    return owners;
  }

  /** Some image could not be opened: what no other has may be that one's. */
  get incomplete(): boolean {
    return this.#unknown.size > 0;
  }

  /** The blob as its images have it; undefined where none has it. */
  async record(sha256: string): Promise<BlobRecord | undefined> {
    for (const { tree, indices } of await this.all()) {
      const index = indices.get(sha256);
      if (index !== undefined) return tree.blob(index);
    }
    return undefined;
  }

  /** Every path, of whichever image, that bad bytes in the blocks `[first, end)` of a blob hurt. Sorted, once each. */
  async hurtPaths(sha256: string, first: number, end: number): Promise<string[]> {
    const paths = new Set<string>();
    for (const { map, indices } of await this.all()) {
      const blob = indices.get(sha256);
      if (blob === undefined) continue;
      for (const path of map.hurtPaths(blob, first, end)) paths.add(path);
    }
    return [...paths].sort();
  }

  clear(): void {
    this.#owners.clear();
    this.#unknown.clear();
  }

  async #owner(id: string): Promise<BlockOwner | undefined> {
    const known = this.#owners.get(id);
    if (known && known.sequence === this.#local.overlay(id).sequence) return known;
    const tree = this.#unknown.has(id) ? undefined : await this.#images.tree(id);
    if (!tree) {
      this.#unknown.add(id);
      return undefined;
    }
    const { image, overlay } = tree;
    const indices = new Map(Array.from(image.blobs(), ({ sha256 }, i) => [sha256, i]));
    for (const [inode, { blob }] of overlay.files()) indices.set(blob, tree.privateBlobOf(inode)!);
    let map: ReverseMap | undefined;
    const owner: BlockOwner = {
      tree,
      indices,
      sequence: overlay.sequence,
      get map() {
        map ??= ReverseMap.of(tree);
        return map;
      },
    };
    this.#owners.set(id, owner);
    return owner;
  }
}
