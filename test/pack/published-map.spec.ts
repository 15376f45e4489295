import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeBlock } from '../../src/codec/decode-block.ts';
import { parseRelease } from '../../src/format/release.ts';
import { build, type FsmapRow, publishedMap } from '../../src/pack/index.ts';
import { readImage, readTable } from '../../src/pack/site-reader.ts';
import { zstdInNode } from '../../src/pack/zstd-in-node.ts';
import { noise } from '../support/random.ts';
import { expect, makeTree, prose, test } from './fixture.ts';

test('rows tile every file, and the owners of blocks are whose bytes they hold', async ({
  dir,
  runtimeDir,
}) => {
  const tree: Record<string, Uint8Array> = {
    'index.html': Buffer.from('<!doctype html><title>x</title>'),
    'one.txt': Buffer.from(prose(1, 900)),
    'two.txt': Buffer.from(prose(2, 900)),
    'twice/one.txt': Buffer.from(prose(1, 900)),
    'big.bin': noise(4, 400_000),
    'twice/big.bin': noise(4, 400_000),
    'other.js': Buffer.from(prose(5, 700_000)),
    empty: new Uint8Array(0),
  };
  const site = join(dir, 'site');
  const { image: id } = await build(makeTree(join(dir, 'app'), tree), {
    out: site,
    runtimeDir,
    blobSize: 2 ** 19,
  });
  const { image, rows } = await publishedMap(site);
  expect(image).toBe(id);
  const byFile = new Map<string, FsmapRow[]>();
  for await (const row of rows) byFile.set(row.file, [...(byFile.get(row.file) ?? []), row]);
  expect([...byFile.keys()].sort()).toEqual(
    readdirSync(site)
      .filter((name) => name.endsWith('.bin'))
      .sort(),
  );
  expect([...byFile.keys()][0]).toBe(`${id}.bin`);

  const opened = await readImage(site, parseRelease(readFileSync(join(site, 'sluice.json'), 'utf8')));
  const records = new Map(
    Array.from({ length: opened.blobCount }, (_, i) => [`${opened.blob(i).sha256}.bin`, opened.blob(i)]),
  );
  expect(records.size).toBeGreaterThan(0);
  const covered = new Map<string, [start: number, end: number][]>();
  for (const [file, fileRows] of byFile) {
    expect(fileRows[0]).toMatchObject({ start: 0, flags: ['metadata'], block: undefined, owners: [] });
    fileRows.forEach((row, i) => {
      if (i > 0) expect(row.start).toBe(fileRows[i - 1]!.end);
    });
    expect(fileRows.at(-1)!.end).toBe(statSync(join(site, file)).size);
    const record = records.get(file);
    if (record === undefined) continue;
    const bytes = new Uint8Array(readFileSync(join(site, file)));
    const table = await readTable(site, record);
    for (const { block, start, end, owners, flags } of fileRows.slice(1)) {
      expect(flags).toEqual(owners.length > 1 ? ['shared'] : []);
      const length = table.logicalLength(block!);
      const logical = Buffer.from(
        await decodeBlock(table.codec(block!), bytes.slice(start, end), length, zstdInNode),
      );
      for (const owner of owners) {
        expect(owner.image).toBe(id);
        // Its bytes are in there, and nothing is told that is not.
        expect(logical.includes(tree[owner.path]!.subarray(owner.start, owner.end)), owner.path).toBe(true);
        covered.set(owner.path, [...(covered.get(owner.path) ?? []), [owner.start, owner.end]]);
      }
    }
  }
  for (const [path, bytes] of Object.entries(tree)) {
    let at = 0;
    for (const [start, end] of (covered.get(path) ?? []).sort(([a], [b]) => a - b)) {
      expect(start, path).toBe(at);
      at = end;
    }
    expect(at, path).toBe(bytes.length);
  }

  rmSync(join(site, [...records.keys()].at(-1)!));
  const broken = await publishedMap(site);
  const all = async (): Promise<void> => {
    for await (const _ of broken.rows);
  };
  await expect(all()).rejects.toMatchObject({ code: 'ENOENT' });
});
