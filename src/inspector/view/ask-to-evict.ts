import type { InspectorActions } from '../actions.ts';
import { confirmed } from './confirm-dialog.ts';

/** Evicts a file ('' = the whole image) once the visitor has said yes. `root`: of the view that asks. */
export async function askToEvict(root: ParentNode, actions: InspectorActions, path: string): Promise<void> {
  const isYes = await confirmed(root, {
    title: `Evict ${path === '' ? 'the whole image' : `“${path}”`}?`,
    text: 'Its space is given back, and what is read of it comes over the network again. The image is no longer completed in the background until it is opened anew.',
    verb: 'Evict',
  });
  if (isYes) await actions.evict(path === '' ? [] : [path]);
}
