import { SluiceError } from '../../format/errors.ts';
import { Image } from '../../image/image.ts';
import type { InspectedVersion } from '../../protocol/inspection.ts';
import { openOpfsFolder } from '../../store/opfs-folder.ts';
import { presentBytes } from '../../store/presence.ts';
import { storeFolder } from '../../store/store-paths.ts';
import { StoreReader } from '../../store/store-reader.ts';

/**
 * The images that the local store of a site has, read as a service worker reads it: nothing is opened, locked or changed. For a site that nobody has open;
 * of others their leader knows more. The one that was used last comes first. Throws `store-too-new`, `unreadable`.
 */
export async function storedImages(scope: string): Promise<InspectedVersion[]> {
  let reason: SluiceError | undefined;
  const folder = await openOpfsFolder(await storeFolder(scope), (why) => {
    reason = why;
  });
  if (!folder) throw reason ?? new SluiceError('unreadable', 'The local store cannot be opened');
  const reader = await StoreReader.open(folder);
  const versions = await Promise.all(reader.images().map((image) => versionOf(reader, image)));
  return versions.sort((a, b) => (b.lastUsed ?? 0) - (a.lastUsed ?? 0));
}

async function versionOf(reader: StoreReader, id: string): Promise<InspectedVersion> {
  const common = { image: id, inUse: false, isStored: true, lastUsed: reader.lastUsed(id) };
  const bootstrap = await reader.image(id);
  const image = bootstrap && (await Image.open(bootstrap, { sha256: id }).catch(() => undefined));
  // Spoilt, or of a newer release: that it is there is all that can be said.
  if (!image) return { ...common, bytes: bootstrap?.length ?? 0, stored: undefined };
  let present = 0;
  for (const record of image.blobs()) {
    const presence = reader.presence(record.sha256);
    if (presence) present += presentBytes(record, presence);
  }
  const { storedBytes: total } = image.superblock;
  return { ...common, bytes: bootstrap.length + present, stored: { total, present } };
}
