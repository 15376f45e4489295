import { readFileSync } from 'node:fs';
import { SluiceError } from '../format/errors.ts';
import { fromNodeError } from '../pack/node-error.ts';

/** The value in a JSON file. Throws as reading does, or `EINVAL`. */
export function readJsonFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fromNodeError(error, 'read', path);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('EINVAL', `${path} is not JSON: ${why}`, { path, cause });
  }
}
