import { pipeline } from 'node:stream/promises';

/** Writes text to stdout as fast as it is read there. Ends quietly when the reader has had enough, as `head` has. */
export async function writeOut(text: AsyncIterable<string>): Promise<void> {
  try {
    await pipeline(text, process.stdout, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}
