import { SluiceError } from './errors.ts';

/**
 * Inflates raw deflate (RFC 1951) to exactly `length` bytes with the platform's own decoder. Memory follows what really comes out and
 * stops at `length`: a lying length allocates nothing. Throws `corrupt-image` for anything but exactly `length` bytes.
 */
export async function inflate(
  deflated: Uint8Array<ArrayBuffer>,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new DecompressionStream('deflate-raw');
  const writer = stream.writable.getWriter();
  // Settles with its error instead of rejecting, for it may fail long before anybody asks.
  const fed = writer
    .write(deflated)
    .then(() => writer.close())
    .catch((error: unknown) => error);
  const reader = stream.readable.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let total = 0;
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      chunks.push(step.value);
      total += step.value.length;
      if (total > length) throw new Error(`more than the ${length} bytes announced`);
    }
    const failure = await fed;
    if (failure !== undefined) throw failure;
    if (total !== length) throw new Error(`${total} bytes instead of ${length}`);
  } catch (cause) {
    // Both ends must be let go; what they then say is a consequence of `cause`.
    await Promise.allSettled([reader.cancel(), writer.abort(), fed]);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('corrupt-image', `the body cannot be inflated: ${why}`, { cause });
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
