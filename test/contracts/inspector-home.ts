import type { InspectorHome } from '../../src/inspector/home.ts';
import { noise } from '../support/random.ts';
import { check, same } from './contract.ts';

/** A case that runs the same over every {@link InspectorHome}. It throws when it fails. */
export interface HomeCase {
  readonly name: string;
  run(home: InspectorHome): Promise<void>;
}

/**
 * What the homes are tried with: a worker of the inspected origin, as plain as can be. It holds the lock `far`, and sends what comes on the channel `to-far` back on
 * `from-far`.
 */
export const farWorker = `
const back = new BroadcastChannel('from-far');
new BroadcastChannel('to-far').onmessage = ({ data }) => back.postMessage(data);
navigator.locks.request('far', () => new Promise(() => {}));
`;

/** What comes on a channel of the home, until `count` messages have come. */
function heard(home: InspectorHome, name: string, count: number): { all: Promise<unknown[]>; close(): void } {
  const channel = home.newChannel(name);
  const messages: unknown[] = [];
  const all = new Promise<unknown[]>((resolve) => {
    channel.addEventListener('message', ({ data }) => {
      messages.push(data);
      if (messages.length === count) resolve(messages);
    });
  });
  return { all, close: () => channel.close() };
}

async function echoes(home: InspectorHome, messages: readonly unknown[]): Promise<unknown[]> {
  const from = heard(home, 'from-far', messages.length);
  const to = home.newChannel('to-far');
  for (const message of messages) to.postMessage(message);
  const answers = await from.all;
  from.close();
  to.close();
  return answers;
}

/** Text by which bytes and what JSON does not know differ too. */
function shown(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof ArrayBuffer) return ['buffer', ...new Uint8Array(part)];
    if (ArrayBuffer.isView(part)) return [part.constructor.name, ...(part as Uint8Array)];
    return part === undefined || (typeof part === 'number' && !Number.isFinite(part)) ? String(part) : part;
  });
}

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

/** What every {@link InspectorHome} does, in whose origin a {@link farWorker} lives and holds its lock. */
export const inspectorHomeContract: readonly HomeCase[] = [
  {
    name: 'messages go both ways in order, bytes and all',
    async run(home) {
      const messages = Array.from({ length: 40 }, (_, i) => ({
        i,
        text: `ü\u{1f600}\n${i}`,
        bytes: noise(i, (i * 997) % 5000),
        view: noise(i, 100).subarray(i),
        words: new Uint32Array([i, 2 ** 32 - 1]),
        buffer: noise(i, i).slice().buffer,
        list: [undefined, null, Number.NaN, -Infinity, { $: 'of its own' }],
        missing: undefined,
      }));
      const answers = await echoes(home, messages);
      same(answers.map(shown), messages.map(shown), 'echoes');
      check('missing' in (answers[0] as object), 'what is undefined is there');
    },
  },
  {
    name: 'a megabyte goes there and back',
    async run(home) {
      const bytes = noise(9, 1_000_000);
      const [answer] = await echoes(home, [{ bytes }]);
      same((answer as { bytes: unknown }).bytes, bytes, 'bytes');
    },
  },
  {
    name: 'bytes are carried as they were when they were posted',
    async run(home) {
      const bytes = noise(3, 1000);
      const before = bytes.slice();
      const from = heard(home, 'from-far', 1);
      home.newChannel('to-far').postMessage(bytes);
      bytes.fill(0);
      same((await from.all)[0], before, 'bytes');
    },
  },
  {
    name: 'what cannot be carried is refused to whoever posts it, and the channel goes on',
    async run(home) {
      const from = heard(home, 'from-far', 1);
      const to = home.newChannel('to-far');
      let refused = false;
      try {
        to.postMessage({ later: () => 1 });
      } catch {
        refused = true;
      }
      check(refused, 'a function is refused');
      to.postMessage('after');
      same(await from.all, ['after'], 'the next message');
    },
  },
  {
    name: 'a channel that was closed hears nothing more, and one of the same name does',
    async run(home) {
      const closed = home.newChannel('from-far');
      let late = 0;
      closed.addEventListener('message', () => {
        late += 1;
      });
      closed.close();
      closed.close();
      same(await echoes(home, [1, 2]), [1, 2], 'echoes');
      same(late, 0, 'heard by the closed one');
    },
  },
  {
    name: 'a lock is held until it is released, by one at a time',
    async run(home) {
      check((await home.heldLocks()).includes('far'), 'locks of others are seen');
      const release = await home.holdLock('mine');
      check((await home.heldLocks()).includes('mine'), 'it is held');
      let isSecond = false;
      const second = home.holdLock('mine').then((free) => {
        isSecond = true;
        return free;
      });
      await home.heldLocks();
      check(!isSecond, 'the second waits');
      release();
      (await second)();
      while ((await home.heldLocks()).includes('mine')) await tick();
      check((await home.heldLocks()).includes('far'), 'the others are as they were');
    },
  },
];
