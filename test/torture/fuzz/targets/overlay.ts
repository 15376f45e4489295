import { Image } from '../../../../src/image/image.ts';
import { MountedTree } from '../../../../src/image/mounted-tree.ts';
import type { TreeChange } from '../../../../src/overlay/change.ts';
import { Overlay } from '../../../../src/overlay/overlay.ts';
import { decodePayload, encodePayload } from '../../../../src/store/journal-payloads.ts';
import { tinyImage } from '../../../image/tiny-image.ts';
import { useTree } from '../../../image/use-tree.ts';
import { fuzzTarget, must, outcomeOf, shown } from '../fuzz-target.ts';

const image = 'ab'.repeat(32);
const meta = new Uint8Array(2);
const directory = { kind: 'directory', meta } as const;
const blob = (n: number) => n.toString(16).padStart(64, '0');
const file = (n: number) =>
  ({ kind: 'file', size: 5000, blockSize: 4096, blob: blob(n), mime: '', meta }) as const;

/** Inodes 0 to 6 are the tiny image's. */
const changes: TreeChange[] = [
  { type: 'create', inode: 7, parent: 0, name: 'levels', node: directory },
  { type: 'create', inode: 8, parent: 7, name: 'one', node: file(8) },
  { type: 'create', inode: 9, parent: 7, name: 'deep', node: directory },
  { type: 'create', inode: 10, parent: 9, name: 'two', node: file(10) },
  { type: 'link', inode: 8, parent: 9, name: 'again' },
  { type: 'link', inode: 1, parent: 7, name: 'published' },
  { type: 'unlink', parent: 0, name: 'a.js' },
  { type: 'create', inode: 11, parent: 0, name: 'a.js', node: file(11) },
  { type: 'unlink', parent: 7, name: 'one' },
  { type: 'set-meta', inode: 8, meta },
  { type: 'set-meta', inode: 2, meta },
  { type: 'next-inode', inode: 14 },
];

let tiny: Promise<Image> | undefined;

/** What was changed in a tree at run time, as the journal tells it (so each change is one that a record can hold): applied, used as a tree, folded. */
export const overlay = fuzzTarget<readonly TreeChange[]>({
  name: 'overlay',
  maxArrayBytes: 1024 * 1024,
  seeds: async () => [
    changes,
    changes.slice(0, 4),
    [...changes, { type: 'unlink', parent: 7, name: 'deep' }],
  ],
  mutate(input, mutator) {
    if (mutator.random() < 0.5)
      return input.map((change) => (mutator.random() < 0.15 ? mutator.value(change) : change));
    // In the right shape, with other numbers: what only the overlay itself can refuse.
    const list = structuredClone(input.filter((change) => change instanceof Object)) as unknown as Record<
      string,
      unknown
    >[];
    if (list.length === 0) return changes;
    for (let left = 1 + mutator.below(4); left > 0; left--) {
      const change = mutator.pick(list);
      const field = mutator.pick(['inode', 'parent', 'name', 'order', 'size']);
      if (field === 'name')
        change.name = mutator.pick(['levels', 'one', 'deep', 'two', 'a.js', 'größe', '..', 'index.html']);
      else if (field === 'order')
        list.splice(mutator.below(list.length), 0, structuredClone(mutator.pick(list)));
      else if (field === 'size')
        Object.assign(change.node ?? {}, { size: mutator.number(), blockSize: 2 ** mutator.below(24) });
      else change[field] = mutator.below(16);
    }
    return list as unknown as TreeChange[];
  },
  async run(input) {
    tiny ??= tinyImage().then(({ bootstrap }) => Image.open(bootstrap));
    const published = await tiny;
    return outcomeOf(() => {
      const overlay = new Overlay();
      let taken = 0;
      for (const change of input) {
        const record = asRecord(change);
        if (record !== undefined && overlay.apply(record)) taken += 1;
      }
      const tree = new MountedTree(published, overlay);
      const errors = useTree(tree, ['', 'levels/one', 'levels/deep/again', 'a.js', 'levels/deep/two/x']);
      const folded = new Overlay();
      for (const change of overlay.changes())
        must(folded.apply(change), () => `a folded change is taken: ${shown(change)}`);
      must(
        shown([...folded.changes()]) === shown([...overlay.changes()]),
        () => 'a fold says the same again',
      );
      return `${taken} taken, ${errors} errors`;
    });
  },
  show: shown,
});

/** As it comes out of the journal; undefined for one that no record can hold. */
function asRecord(change: TreeChange): TreeChange | undefined {
  let payload: ReturnType<typeof encodePayload>;
  try {
    payload = encodePayload({ type: 'change', image, change });
  } catch {
    return undefined; // The writer's own mistake, which types keep from it.
  }
  const record = decodePayload(payload.type, payload.payload);
  return record?.type === 'change' ? record.change : undefined;
}
