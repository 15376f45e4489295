import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { BlockPacker } from './block-packer.ts';
import type { Breath } from './breath.ts';
import { isTextType } from './media-type.ts';
import type { Placement } from './placement.ts';
import type { Plan } from './plan.ts';
import { SourceFile } from './source-file.ts';
import type { TreeFile } from './tree.ts';

/** What packing learned of a file. */
export interface PackedFile {
  /** Identical files have the same one. */
  readonly content: Content;
  /** The bytes are UTF-8; told of files with a text type only. */
  readonly isUtf8: boolean;
}

export interface Content {
  /** SHA-256. */
  readonly digest: Buffer<ArrayBuffer>;
  readonly placement: Placement;
}

export interface PackResult {
  readonly files: ReadonlyMap<TreeFile, PackedFile>;
  /** Files whose bytes another file had already, and bytes that were there already, in files or blocks. */
  readonly duplicateFiles: number;
  readonly duplicateBytes: number;
  /** How many blocks, from the first, a launch needs. */
  readonly launchBlocks: number;
}

/** One that was stored, and the SHA-256 of its logical bytes. */
interface Block {
  readonly digest: Buffer<ArrayBuffer>;
  readonly number: number;
}

interface PackOptions {
  readonly packer: BlockPacker;
  readonly breath: Breath;
  /** Of the attributes or by extension, without charset. */
  readonly typeOf: (file: TreeFile) => string;
  /** A file was gone through, and `bytes` of it that are not stored again: those of blocks the packer tells. */
  readonly onFile: (bytes: number) => void;
}

/** Reads every file once, and what a launch needs of it twice, and stores its blocks. Holds no more of them than the packer has in flight, and one. */
export async function packFiles({ units, launchUnits }: Plan, options: PackOptions): Promise<PackResult> {
  const packing = new Packing(options);
  for (const [i, unit] of units.entries()) {
    if (i === launchUnits) packing.endLaunch();
    if (unit.kind === 'part') await packing.addPart(unit.file, unit.blocks, unit.shift, unit.compressed);
    else if (unit.kind === 'file') await packing.addFile(unit.file, unit.shift, unit.compressed);
    else await packing.addShared(unit.files, unit.shift, unit.compressed);
  }
  if (launchUnits === units.length) packing.endLaunch();
  await options.packer.finish();
  return packing;
}

class Packing implements PackResult {
  readonly files = new Map<TreeFile, PackedFile>();
  duplicateFiles = 0;
  launchBlocks = 0;
  readonly #options: PackOptions;
  readonly #parts = new Map<TreeFile, Map<number, Block>>();
  readonly #contents = new Map<string, Content>();
  #smallDuplicateBytes = 0;

  constructor(options: PackOptions) {
    this.#options = options;
  }

  get duplicateBytes(): number {
    return this.#smallDuplicateBytes + this.#options.packer.duplicateBytes;
  }

  /** What was added so far is what a launch needs. */
  endLaunch(): void {
    this.launchBlocks = this.#options.packer.endLaunch();
  }

  /** Some blocks of a large file that is added later. */
  async addPart(
    file: TreeFile,
    blocks: readonly number[],
    shift: number,
    compressed: boolean,
  ): Promise<void> {
    const { packer, breath } = this.#options;
    const known = this.#parts.get(file) ?? new Map<number, Block>();
    this.#parts.set(file, known);
    const source = new SourceFile(file);
    try {
      for (const block of blocks) {
        await breath.take();
        const at = block * 2 ** shift;
        const logical = new Uint8Array(Math.min(2 ** shift, file.size - at));
        source.seek(at);
        source.read(logical);
        const digest = createHash('sha256').update(logical).digest();
        known.set(block, { digest, number: await packer.add(logical, digest, compressed) });
      }
      source.finish();
    } finally {
      source.close();
    }
  }

  /** A large file, in blocks of its own. */
  async addFile(file: TreeFile, shift: number, compressed: boolean): Promise<void> {
    const { packer, breath, typeOf, onFile } = this.#options;
    const blockLength = 2 ** shift;
    const text = isTextType(typeOf(file)) ? new Utf8Check() : undefined;
    const whole = createHash('sha256');
    const blocks: number[] = [];
    const parts = this.#parts.get(file);
    const source = new SourceFile(file);
    try {
      for (let at = 0; at < file.size; at += blockLength) {
        await breath.take();
        const logical = new Uint8Array(Math.min(blockLength, file.size - at));
        source.read(logical);
        text?.add(logical);
        const digest = createHash('sha256').update(logical).digest();
        whole.update(logical);
        const part = parts?.get(at / blockLength);
        if (part === undefined) blocks.push(await packer.add(logical, digest, compressed));
        else if (part.digest.equals(digest)) blocks.push(part.number);
        else throw source.changed('some of its bytes are others');
      }
      source.finish();
    } finally {
      source.close();
    }
    const content = this.#content(whole.digest(), { blocks, shift, blockOffset: 0 });
    this.files.set(file, { content, isUtf8: text?.finish() ?? false });
    onFile(0);
  }

  /** Small files, in one block together. */
  async addShared(files: readonly TreeFile[], shift: number, compressed: boolean): Promise<void> {
    const { packer, breath, typeOf, onFile } = this.#options;
    const length = files.reduce((sum, file) => sum + file.size, 0);
    const logical = new Uint8Array(length);
    /** The number of the block, known when it is full; all files in it share this array. */
    const blocks: number[] = [];
    let end = 0;
    for (const file of files) {
      await breath.take();
      const bytes = logical.subarray(end, end + file.size);
      readWhole(file, bytes);
      const digest = createHash('sha256').update(bytes).digest();
      const before = this.duplicateFiles;
      const content = this.#content(digest, {
        blocks: file.size === 0 ? [] : blocks,
        shift,
        blockOffset: end,
      });
      this.files.set(file, { content, isUtf8: isTextType(typeOf(file)) && isUtf8(bytes) });
      const isNew = this.duplicateFiles === before;
      if (isNew) end += file.size;
      else this.#smallDuplicateBytes += file.size;
      onFile(isNew ? 0 : file.size);
    }
    if (end === 0) return;
    const stored = end === length ? logical : logical.slice(0, end);
    blocks.push(await packer.add(stored, createHash('sha256').update(stored).digest(), compressed));
  }

  #content(digest: Buffer<ArrayBuffer>, placement: Placement): Content {
    const key = digest.toString('latin1');
    const known = this.#contents.get(key);
    if (known !== undefined) {
      this.duplicateFiles++;
      return known;
    }
    const content = { digest, placement };
    this.#contents.set(key, content);
    return content;
  }
}

function readWhole(file: TreeFile, into: Uint8Array): void {
  const source = new SourceFile(file);
  try {
    source.read(into);
    source.finish();
  } finally {
    source.close();
  }
}

/** Whether bytes that come in pieces are UTF-8 together. */
class Utf8Check {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #good = true;

  add(bytes: Uint8Array): void {
    this.#attempt(bytes);
  }

  finish(): boolean {
    this.#attempt(undefined);
    return this.#good;
  }

  #attempt(bytes: Uint8Array | undefined): void {
    if (!this.#good) return;
    try {
      this.#decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      // The decoder has one reason to throw.
      this.#good = false;
    }
  }
}
