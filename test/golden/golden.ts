import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes that are kept for good: see the tests that read them. */
export async function golden(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const text = await readFile(new URL(`./${name}.hex`, import.meta.url), 'utf8');
  return new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}

/** Publishes the golden image as it was: its bootstrap and its blob by their names, and the release pointer. */
export async function writeGoldenSite(
  directory: string,
): Promise<{ readonly image: string; readonly bytes: number }> {
  await mkdir(directory, { recursive: true });
  const publish = async (name: string): Promise<{ readonly sha256: string; readonly bytes: number }> => {
    const bytes = await golden(name);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await writeFile(join(directory, `${sha256}.bin`), bytes);
    return { sha256, bytes: bytes.length };
  };
  await publish('tiny-blob');
  const { sha256: image, bytes } = await publish('tiny-deflated');
  await writeFile(
    join(directory, 'sluice.json'),
    `{"sluice":1,"bootstrap":{"sha256":"${image}","bytes":${bytes}}}\n`,
  );
  return { image, bytes };
}
