import { BlockTable } from '../format/block-table.ts';
import { SluiceError } from '../format/errors.ts';
import type { FsmapFlag, FsmapPage, FsmapQuery } from '../format/fsmap.ts';
import { hex, sha256 } from '../format/sha256.ts';
import { type FsmapBlob, type FsmapFile, fsmapPage } from '../image/fsmap.ts';
import type { Clock } from '../protocol/clock.ts';
import type { BlobFile, StoreFile } from '../store/store-file.ts';
import { type BlockOwner, BlockOwners } from './block-owners.ts';
import type { KnownImages } from './known-images.ts';
import type { LocalBlocks } from './local-blocks.ts';

/** The reverse maps of a walk that does not go on are let go of. */
const idleMs = 60_000;

/**
 * The map of the local store: what lies where in its files, in physical order, and which files of which images own it (XFS's GETFSMAP). A
 * walk is resumed by key and sees what is true when each page is made: between two pages blobs may come and go.
 */
export class StoreMap {
  readonly #local: LocalBlocks;
  readonly #clock: Clock;
  readonly #owners: BlockOwners;
  #stopIdle: (() => void) | undefined;

  constructor(images: KnownImages, local: LocalBlocks, clock: Clock) {
    this.#local = local;
    this.#clock = clock;
    this.#owners = new BlockOwners(images, local);
  }

  async page(query: FsmapQuery): Promise<FsmapPage> {
    this.#stopIdle?.();
    const owners = await this.#owners.all();
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

  #file(file: StoreFile, owners: readonly BlockOwner[]): FsmapFile {
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
