import { isCode, SluiceError } from '../format/errors.ts';
import type { Ledger } from './ledger.ts';
import { checkDigest, imagePath } from './store-paths.ts';
import { hasFile } from './writer-state.ts';

/**
 * What gives back its room, images and evicted blobs, and the pins on what must not. Invariants: a generation without them is durable before the first file goes (2
 * in STORE.md); the files are asked to go in the tick in which they were forgotten, before anybody can open one of the same name anew.
 */
export class Removals {
  /** By SHA-256, the files of published blobs that were begun and of which the journal says nothing, since the mount: see {@link removeStrays}. */
  readonly strays = new Map<string, string>();
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Answers how many bytes their bootstraps had. */
  async removeImages(ids: readonly string[]): Promise<number> {
    const { images } = this.#ledger.state;
    const known = new Set(ids.filter((id) => images.has(id)));
    if (known.size === 0) return 0;
    const bytes = [...known].reduce((sum, id) => sum + images.get(id)!, 0);
    this.#ledger.forget((kind, sha256) => kind === 'blob' || !known.has(sha256));
    await this.#removeFiles(Array.from(known, imagePath));
    return bytes;
  }

  /** By intents, which a mount redoes (5 in STORE.md). */
  async evict(blobs: readonly string[]): Promise<void> {
    const { state } = this.#ledger;
    const known = [...new Set(blobs)].filter((sha256) => state.blobs.has(sha256));
    const own = known.find((sha256) => state.isPrivate(sha256));
    if (own !== undefined) throw new SluiceError('EINVAL', `Blob ${own} is private: nobody else has it`);
    if (known.length === 0) return;
    const files = this.#filesOf(known);
    try {
      // Crash before this has ended: a part of them goes at the next mount. After it: all of them, then or now.
      this.#ledger.record(known.map((sha256) => ({ type: 'evict', sha256 })));
      this.#forgetBlobs(new Set(known));
    } catch (error) {
      if (!isCode(error, 'ENOSPC')) throw error;
      // Not even for the journal is there room: their files go first, as if somebody else had removed them, and it follows.
      for (const sha256 of known) this.#ledger.takeAwayBlob(sha256);
    }
    await this.#removeFiles(files);
    this.#ledger.settle();
  }

  /** Sets (1) or takes away (0) pins; durable when it returns. */
  pin(blobs: Iterable<string>, pinned: 0 | 1): void {
    const before = this.#ledger.state.pinned;
    const changed = [...blobs].filter((sha256) => before.has(sha256) !== (pinned === 1));
    for (const sha256 of changed) checkDigest(sha256);
    if (changed.length === 0) return;
    this.#ledger.record(changed.map((sha256) => ({ type: 'pinned', sha256, pinned })));
  }

  /** At mount: what a crash had left of evictions, and of files that were being made. */
  async redo(): Promise<void> {
    const { state } = this.#ledger;
    const blobs = new Set([...state.evicting, ...state.unowned()]);
    if (blobs.size === 0) return;
    const files = this.#filesOf(blobs);
    try {
      this.#forgetBlobs(blobs);
      await this.#removeFiles(files);
    } catch (error) {
      // No room for a new generation: the journal stays true as it is, and the next mount tries again.
      if (!isCode(error, 'ENOSPC')) throw error;
    }
  }

  /** Those of which nothing has become present since the mount. */
  async removeStrays(): Promise<void> {
    const { state } = this.#ledger;
    const files = [...this.strays].filter(([sha256, path]) => {
      const blob = state.blobs.get(sha256);
      return !blob || !hasFile(blob) || state.pathOf(sha256) !== path;
    });
    this.strays.clear();
    await this.#removeFiles(files.map(([, path]) => path));
  }

  #forgetBlobs(blobs: ReadonlySet<string>): void {
    this.#ledger.forget((kind, sha256) => kind !== 'blob' || !blobs.has(sha256));
  }

  #filesOf(blobs: Iterable<string>): string[] {
    return Array.from(blobs, (sha256) => this.#ledger.state.pathOf(sha256));
  }

  async #removeFiles(paths: readonly string[]): Promise<void> {
    await Promise.all(paths.map((path) => this.#ledger.files.remove(path)));
  }
}
