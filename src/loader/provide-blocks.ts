import { SluiceError } from '../format/errors.ts';
import type { ProvidedBlock } from '../protocol/loader-api.ts';
import type { Engine } from './engine.ts';
import { fileAt } from './lookup.ts';
import type { Mount } from './mount.ts';

/**
 * Takes blocks from a data loader in any order, as Incremental FS does: one that is here already is ignored and never changes. Tables
 * (block -1) come first, because without them the others cannot be verified. Throws as the LoaderApi says; what was taken before stays.
 */
export async function provideBlocks(
  engine: Engine,
  mount: Mount,
  blocks: readonly ProvidedBlock[],
): Promise<void> {
  const tables = blocks.filter(({ block }) => block === -1);
  const others = blocks.filter(({ block }) => block !== -1);
  for (const given of [...tables, ...others]) {
    await engine.provide(mount, blobOf(mount, given), given.block, given.bytes);
  }
}

function blobOf(mount: Mount, given: ProvidedBlock): number {
  if ('blob' in given) return given.blob;
  const { path } = given;
  const blob = mount.tree.privateBlobOf(fileAt(mount.tree, path).inode);
  if (blob === undefined)
    throw new SluiceError('EINVAL', `${path} was published: its blocks are given by blob`, { path });
  return blob;
}
