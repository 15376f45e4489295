import { formatBytes, formatCount, formatMs } from '../../format/quantity.ts';
import type { Inspection } from '../../protocol/inspection.ts';
import { countTabs } from './image-users.ts';
import { linkRate } from './labels.ts';

export interface Counter {
  readonly group: string;
  readonly name: string;
  readonly value: string;
  readonly meaning: string;
}

/** Every figure that `state()` and the inspector's own questions answer, each with what it means. */
export function counters({ state, link, queue, pending, storage, tabs }: Inspection): Counter[] {
  const { loader } = state;
  const count = (group: string, name: string, value: number, meaning: string): Counter => ({
    group,
    name,
    value: formatCount(value),
    meaning,
  });
  const bytes = (group: string, name: string, value: number, meaning: string): Counter => ({
    ...count(group, name, value, meaning),
    value: formatBytes(value),
  });
  const rows: Counter[] = [
    count('Image', 'blocks.total', state.blocks.total, 'Blocks that the image has, each stored once.'),
    count(
      'Image',
      'blocks.present',
      state.blocks.present,
      'Blocks that are here: these are read without a network.',
    ),
    bytes(
      'Image',
      'bytes.total',
      state.bytes.total,
      'Stored bytes of the image, compressed as published, tables included.',
    ),
    bytes('Image', 'bytes.present', state.bytes.present, 'Stored bytes of the blocks that are here.'),
    count(
      'Image',
      'sequence',
      state.sequence,
      'Changes that were made to the tree at run time: files made, names added and taken away.',
    ),
    bytes(
      'Network',
      'bytes.fetched',
      state.bytes.fetched,
      'Came over the network since this loader began to lead.',
    ),
    count(
      'Network',
      'loader.requests',
      loader.requests,
      'Requests that were sent; one may bring hundreds of blocks.',
    ),
    count('Network', 'loader.retries', loader.retries, 'Requests that were sent again after one had failed.'),
    count(
      'Network',
      'loader.errors',
      loader.errors,
      'Requests that failed, and blocks that did not match their digest.',
    ),
    {
      group: 'Network',
      name: 'link.bytesPerSecond',
      value: linkRate(link.bytesPerSecond),
      meaning: 'Measured rate of the link, by which background requests are cut.',
    },
    {
      group: 'Network',
      name: 'link.latencyMs',
      value: formatMs(link.latencyMs),
      meaning: 'Measured time from a request to its first byte.',
    },
    count('Reads', 'pendingReads', pending.length, 'Reads that wait for a missing block now.'),
    count(
      'Reads',
      'waiters',
      pending.reduce((sum, { waiters }) => sum + waiters, 0),
      'Who waits for them: a read may have several.',
    ),
    ...queue.map(({ kind, blocks }) => count('Reads', `queue.${kind}`, blocks, queueMeaning[kind])),
    bytes(
      'Storage',
      'storage.journalBytes',
      storage.journalBytes,
      'The journal of what is present; it is written anew when it has grown.',
    ),
    count(
      'Storage',
      'copies.files',
      state.copies.files,
      'Code files that are kept a second time, in Cache Storage, where browsers keep compiled code with them.',
    ),
    bytes('Storage', 'copies.bytes', state.copies.bytes, 'What these copies take.'),
    count(
      'Loaders',
      'tabs',
      countTabs(tabs),
      'Tabs of this site whose loaders live, and other pages that have mounted it.',
    ),
    count(
      'Loaders',
      'inspectors',
      tabs.length - countTabs(tabs),
      'Loaders that only look into the store, for an inspector.',
    ),
  ];
  const { mappings } = state;
  if (mappings)
    rows.push(
      count(
        'Service worker',
        'mappings.hits',
        mappings.hits,
        'Reads whose place in the image was known already.',
      ),
      count('Service worker', 'mappings.misses', mappings.misses, 'Reads whose place had to be looked up.'),
      count(
        'Service worker',
        'mappings.revalidations',
        mappings.revalidations,
        'Places that were taken before a change of the tree, and looked up again.',
      ),
    );
  return rows;
}

const queueMeaning = {
  demand: 'Missing blocks that somebody waits for, not asked for yet.',
  launch: 'Missing blocks that a recorded launch has read, not asked for yet.',
  background: 'Missing blocks that complete the image, not asked for yet.',
} as const;
