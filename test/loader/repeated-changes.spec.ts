import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import type { TreeOperation } from '../../src/format/tree-operation.ts';
import type { LocalService } from '../../src/loader/local-service.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { bootstrapOnly, startLeader } from './leader.ts';
import { makeSite } from './site-fixture.ts';

/** What becomes of a change whose leader did not live to answer, and that is asked for again of the next one. */

const mkdir: TreeOperation = { type: 'mkdir', path: 'lock', recursive: false };
const link: TreeOperation = { type: 'link', existing: 'index.html', path: 'lock' };
const unlink: TreeOperation = { type: 'unlink', path: 'index.html' };
const rmdir: TreeOperation = { type: 'rmdir', path: 'lock' };
const create: TreeOperation = {
  type: 'create-file',
  path: 'lock',
  size: 10,
  blockSize: 4096,
  mime: '',
  meta: new Uint8Array(0),
  content: undefined,
};
const one = '1'.repeat(64);
const two = '2'.repeat(64);

/** Runs with one leader after the other over one store; each answers 'done' or the code of the error. */
async function withLeaders(
  run: (next: () => Promise<(operation: TreeOperation, request: string) => Promise<string>>) => Promise<void>,
): Promise<void> {
  const site = await makeSite([{ name: 'index.html', size: 100, shift: 12 }], 2 ** 20);
  const directory = new MemoryDirectory();
  const length = site.bootstrap.length;
  let service: LocalService | undefined;
  await run(async () => {
    await service?.close();
    const leader = await startLeader({ scope: 'https://app.test/', fetch: bootstrapOnly(site), directory });
    service = leader;
    await leader.open({ loader: 'tab', release: { image: site.image, bytes: length }, background: false });
    return (operation, request) =>
      leader.changeTree(site.image, operation, request).then(
        () => 'done',
        (error: unknown) => (error instanceof SluiceError ? error.code : String(error)),
      );
  });
  await service?.close();
}

for (const [operation, code] of [
  [mkdir, 'EEXIST'],
  [link, 'EEXIST'],
  [create, 'EEXIST'],
  [unlink, 'ENOENT'],
] as const) {
  test(`${operation.type}: done once for a request that is repeated, and an error for another's`, () =>
    withLeaders(async (next) => {
      const first = await next();
      expect(await first(operation, one)).toBe('done');
      expect(await first(operation, one)).toBe('done');
      const second = await next();
      expect(await second(operation, one)).toBe('done');
      expect(await second(operation, two)).toBe(code);
      expect(await (await next())(operation, one)).toBe('done');
    }));
}

test('what another tab has made meanwhile is not taken for one’s own: of two that make a lock one has it', () =>
  withLeaders(async (next) => {
    // The first leader went before it did what `one` had asked of it.
    await next();
    const second = await next();
    expect(await second(mkdir, two)).toBe('done');
    expect(await second(mkdir, one)).toBe('EEXIST');
  }));

test('what was removed since does not come back with a repeated request', () =>
  withLeaders(async (next) => {
    const first = await next();
    for (const [make, remove] of [
      [mkdir, rmdir],
      [create, { type: 'unlink', path: 'lock' }],
    ] as const) {
      const request = make === mkdir ? one : '3'.repeat(64);
      expect(await first(make, request)).toBe('done');
      expect(await first(remove, `${request.slice(1)}4`)).toBe('done');
    }
    const second = await next();
    expect(await second(mkdir, one)).toBe('done');
    expect(await second(create, '3'.repeat(64))).toBe('done');
    expect(await second(rmdir, two)).toBe('ENOENT');
  }));

test('the last requests are remembered, and no more', () =>
  withLeaders(async (next) => {
    const request = (i: number): string => i.toString(16).padStart(64, '0');
    const first = await next();
    for (let i = 0; i < 70; i++) {
      expect(await first({ ...mkdir, path: `folder ${i}` }, request(i))).toBe('done');
    }
    const second = await next();
    const again = (i: number): Promise<string> => second({ ...mkdir, path: `folder ${i}` }, request(i));
    expect(await again(6)).toBe('done');
    expect(await again(5)).toBe('EEXIST');
  }));
