import { expect, test } from '@playwright/test';
import { isFromLoader, isToLoader, repliesTo } from '../../src/protocol/guards.ts';
import type { FromLoader, ToLoader } from '../../src/protocol/messages.ts';

const image = 'ab'.repeat(32);
const bytes = new Uint8Array(3);

const toLoader: ToLoader[] = [
  { type: 'read-blocks', id: 1, image, path: 'a', blob: 0, first: 2, count: 3, timeoutMs: 0 },
  { type: 'cancel', id: 1 },
  { type: 'read-bootstrap', id: 2, image },
  { type: 'provide-blocks', image, blocks: [{ blob: 0, block: -1, bytes }] },
  {
    type: 'reads-served',
    image,
    life: 'x',
    reads: [{ serial: 1, path: 'a', blob: 0, first: 1, count: 2, at: 3, waitedMs: 4 }],
  },
  {
    type: 'reads-served',
    image,
    life: 'x',
    reads: [{ serial: 2, path: 'a', blob: 0, first: 1, count: 2, at: 3, waitedMs: 4, failed: 'offline' }],
  },
  { type: 'store-seen', id: 3 },
  { type: 'alive', lock: 'sluice:sw:1' },
];

const fromLoader: FromLoader[] = [
  { type: 'hello', version: 1, loader: 'x', role: 'leader' },
  { type: 'block', id: 1, block: 2, codec: 0, logicalLength: 3, bytes },
  { type: 'failed', id: 1, error: { code: 'offline', message: 'm' } },
  { type: 'bootstrap', id: 1, bytes },
  { type: 'store-changed', sealed: [image] },
  { type: 'image-complete', image },
];

test('every message of its direction is accepted, with fields that are not known yet, and none of the other', () => {
  for (const message of toLoader) {
    expect(isToLoader(message), message.type).toBe(true);
    expect(isToLoader({ ...message, later: 1 }), message.type).toBe(true);
    expect(isFromLoader(message), message.type).toBe(false);
  }
  for (const message of fromLoader) {
    expect(isFromLoader(message), message.type).toBe(true);
    expect(isToLoader(message), message.type).toBe(false);
  }
});

test('a message without one of its fields, or with a wrong one, is refused', () => {
  for (const [guard, messages] of [
    [isToLoader, toLoader],
    [isFromLoader, fromLoader],
  ] as const) {
    for (const message of messages) {
      for (const field of Object.keys(message)) {
        const { [field as 'type']: _, ...without } = message as { type: string };
        expect(guard(without), `${message.type} without ${field}`).toBe(false);
        expect(guard({ ...message, [field]: Symbol('wrong') }), `${message.type} with a wrong ${field}`).toBe(
          false,
        );
      }
    }
  }
});

test('nonsense is refused', () => {
  for (const value of [
    undefined,
    null,
    1,
    'hello',
    [],
    {},
    { type: 'toString' },
    { type: 'constructor' },
    { type: 1 },
  ]) {
    expect(isToLoader(value)).toBe(false);
    expect(isFromLoader(value)).toBe(false);
  }
  expect(isFromLoader({ type: 'failed', id: 1, error: { code: 'toString', message: 'm' } })).toBe(false);
  expect(isToLoader({ ...toLoader[0], id: -1 })).toBe(false);
  expect(isToLoader({ ...toLoader[0], timeoutMs: Number.NaN })).toBe(false);
});

test('replies name their call, news do not', () => {
  expect(fromLoader.map(repliesTo)).toEqual([undefined, 1, 1, 1, undefined, undefined]);
});

test('a list with a hole in it is refused: what takes it apart would find nothing there', () => {
  const holed = (message: ToLoader): unknown => {
    const list: unknown[] = [];
    list.length = 1;
    return { ...message, ...('reads' in message ? { reads: list } : { blocks: list }) };
  };
  for (const message of toLoader.filter((one) => 'reads' in one || 'blocks' in one))
    expect(isToLoader(holed(message)), message.type).toBe(false);
});
