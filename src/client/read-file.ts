import { SluiceError } from '../format/errors.ts';
import type { ReadOptions } from './file-bytes.ts';

export type Encoding = 'utf8' | 'utf-8';

export interface ReadFileOptions extends ReadOptions {
  /** With it the text is answered, decoded; without it the bytes. */
  readonly encoding?: Encoding | undefined;
}

/** What `read` answers, as the options of a `readFile` want it. */
export async function decoded(
  path: string,
  options: Encoding | ReadFileOptions,
  read: (options: ReadOptions) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer> | string> {
  const { encoding, ...how } = typeof options === 'string' ? { encoding: options } : options;
  if (encoding !== undefined && encoding !== 'utf8' && encoding !== 'utf-8') {
    throw new SluiceError('EINVAL', `EINVAL: encoding ${String(encoding)} is not utf8`, { path });
  }
  const bytes = await read(how);
  return encoding === undefined ? bytes : new TextDecoder().decode(bytes);
}
