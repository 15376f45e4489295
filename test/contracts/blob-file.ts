import type { Directory } from '../../src/store/directory.ts';

type Listed = Pick<Directory, 'list'>;

/** SHA-256 of the blobs that have a file in the store's folder, in their order; a blob with two comes twice. */
export async function storedBlobs(directory: Listed): Promise<string[]> {
  return (await directory.list('blobs')).map((name) => name.slice(0, 64)).sort();
}

/** Path of the file that a store has of a blob; the store alone knows the end of its name. Throws when there is not one. */
export async function blobFile(directory: Listed, sha256: string): Promise<string> {
  const names = await directory.list('blobs');
  return theOne(
    names.map((name) => `blobs/${name}`),
    sha256,
  );
}

/** The same among these paths. */
export function theOne(paths: Iterable<string>, sha256: string): string {
  const found = [...paths].filter((path) => path.includes(`blobs/${sha256}-`));
  if (found.length !== 1) throw new Error(`${found.length} files of blob ${sha256}`);
  return found[0]!;
}
