import { SluiceError } from '../format/errors.ts';
import type { ProvidedBlock } from '../protocol/loader-api.ts';
import type { Engine } from './engine.ts';
import { fileAt } from './lookup.ts';
import type { Mount } from './mount.ts';

/**
 * Takes blocks from a data loader in any order, as Incremental FS does: one that is here already is ignored and never changes. Tables
 * (block -1) come first, because without them the others cannot be verified. What nobody else has, blocks of run-time files, is durable when this resolves.
 * Throws as the LoaderApi says; what was taken before stays.
 */
export async function provideBlocks(
  engine: Engine,
  mount: Mount,
  blocks: readonly ProvidedBlock[],
): Promise<void> {
  const tables = blocks.filter(({ block }) => block === -1);
  const others = blocks.filter(({ block }) => block !== -1);
  const own = new Map<number, number[]>();
  for (const given of [...tables, ...others]) {
    const index = blobOf(mount, given);
    await engine.provide(mount, index, given.block, given.bytes);
    if (mount.blob(index)?.isPrivate) own.set(index, [...(own.get(index) ?? []), given.block]);
  }
  for (const [index, blocks] of own) await engine.keep(mount, index, blocks);
}

function blobOf(mount: Mount, given: ProvidedBlock): number {
  if ('blob' in given) return given.blob;
  const { path } = given;
  const blob = mount.tree.privateBlobOf(fileAt(mount.tree, path).inode);
  if (blob === undefined)
    throw new SluiceError('EINVAL', `${path} was published: its blocks are given by blob`, { path });
  return blob;
}
