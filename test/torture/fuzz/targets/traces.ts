import { parseTrace } from '../../../../src/cli/trace-file.ts';
import { launchReads } from '../../../../src/pack/launch-reads.ts';
import { plan } from '../../../../src/pack/plan.ts';
import type { TreeFile } from '../../../../src/pack/tree.ts';
import { fuzzTarget, must, outcomeOf, shown } from '../fuzz-target.ts';

const files = [
  'index.html',
  'app-BxK3d2_a.js',
  'data/world.pak',
  'data/a.3f9a2c1e.png',
  'data/b.3f9a2c1e.png',
  'm.wasm',
].map(
  (path, i): TreeFile => ({
    kind: 'file',
    name: path.split('/').at(-1)!,
    path,
    source: path,
    size: [300, 90_000, 5e6, 100, 0, 2e5][i]!,
  }),
);

/** A launch trace as JSON: parsed, its paths and ranges found in a tree, and a plan made of it. */
export const traces = fuzzTarget<unknown>({
  name: 'traces',
  maxArrayBytes: 1024 * 1024,
  seeds: async () => {
    const reads = [
      { path: 'index.html', blob: 0, block: 0, atMs: 3, waitedMs: 1, start: 0, end: 300, size: 300 },
      { path: '/app-QwErTyU1.js', blob: 0, block: 1, atMs: 4, waitedMs: 1 },
      { path: 'data/world.pak', blob: 1, block: 7, start: 65_536, end: 131_072, size: 5e6 },
      { path: 'data/world.pak', blob: 1, block: -1 },
      { path: 'data/c.99aa88bb.png', start: 0, end: 99, size: 100 },
    ];
    return [{ sluice: 1, image: 'ab'.repeat(32), reads }, { reads: [] }, { reads: [...reads, ...reads] }];
  },
  mutate: (trace, mutator) => mutator.value(trace),
  run: (given) =>
    outcomeOf(() => {
      const trace: unknown = asJson(given);
      const reads = launchReads(files, [parseTrace(trace, 'trace.json')]);
      for (const { file, start, end } of reads.orders.flat()) {
        must(start >= 0 && start <= end && end <= file.size, () => `[${start}, ${end}) is of ${file.path}`);
      }
      const { units, launchUnits } = plan(files, reads, 2 ** 23);
      return `${launchUnits} of ${units.length} units`;
    }),
  show: shown,
});

/** What has come out of a file. */
function asJson(value: unknown): unknown {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part));
  return text === undefined ? undefined : JSON.parse(text);
}
