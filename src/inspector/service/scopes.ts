import { writerLockName } from '../../protocol/messages.ts';
import type { InspectorHome } from '../home.ts';

const prefix = writerLockName('');

/** The sites of the origin that are open somewhere: URLs of their directories, with a trailing slash, sorted. */
export async function openScopes(home: InspectorHome): Promise<readonly string[]> {
  const names = await home.heldLocks();
  return [
    ...new Set(names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))),
  ].sort();
}
