import type { BlockSource, PublishedFile } from '../protocol/block-source.ts';
import { OriginError } from './origin-error.ts';

/**
 * A whole published file in memory: for bootstraps, which are small. The bytes are not verified: whoever opens them
 * must check their SHA-256. Memory follows what really comes: a length that lies allocates nothing. Throws what the source throws.
 */
export async function fetchPublished(
  source: BlockSource,
  file: PublishedFile,
  signal: AbortSignal,
  options: { readonly cached?: boolean } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let filled = 0;
  const request = { file, start: 0, end: file.length, priority: 'high', signal, ...options } as const;
  for await (const chunk of source.fetch(request)) {
    if (chunk.offset !== filled) throw new OriginError(`${file.sha256}.bin: bytes out of order`);
    chunks.push(chunk.bytes);
    filled += chunk.bytes.length;
  }
  const bytes = new Uint8Array(filled);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
