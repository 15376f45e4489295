import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { Channel, type MessageEndpoint } from '../../src/protocol/channel.ts';
import { ManualClock } from '../loader/manual-clock.ts';

interface Ask {
  readonly type: 'ask' | 'cancel';
  readonly id: number;
}

interface Reply {
  readonly type: 'reply' | 'news';
  readonly id?: number;
  readonly text: string;
}

const isReply = (value: unknown): value is Reply =>
  typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string';

function setUp(): {
  clock: ManualClock;
  channel: Channel<Ask, Reply>;
  other: MessagePort;
  heard: Ask[];
  news: string[];
  closed: SluiceError[];
  next: () => Promise<Ask>;
} {
  const { port1, port2 } = new MessageChannel();
  const heard: Ask[] = [];
  const news: string[] = [];
  const closed: SluiceError[] = [];
  const waiting: ((ask: Ask) => void)[] = [];
  port2.onmessage = ({ data }) => {
    heard.push(data);
    waiting.shift()?.(data);
  };
  const clock = new ManualClock();
  const channel = new Channel<Ask, Reply>(port1 as MessageEndpoint, {
    accept: isReply,
    replyTo: ({ id }) => id,
    onMessage: ({ text }) => news.push(text),
    onClose: (reason) => closed.push(reason),
    clock,
  });
  return {
    clock,
    channel,
    other: port2,
    heard,
    news,
    closed,
    next: () => new Promise((resolve) => waiting.push(resolve)),
  };
}

function ask(
  channel: Channel<Ask, Reply>,
  more: { signal?: AbortSignal; parts?: number } = {},
): Promise<string> {
  let text = '';
  let left = more.parts ?? 1;
  return channel.call({
    name: 'asking',
    message: (id) => ({ type: 'ask', id }),
    cancel: (id) => ({ type: 'cancel', id }),
    timeoutMs: 100,
    ...(more.signal ? { signal: more.signal } : {}),
    onReply: (reply) => {
      if (reply.text === 'bad') throw new SluiceError('offline', 'bad');
      text += reply.text;
      left -= 1;
      return left === 0 ? { value: text } : undefined;
    },
  });
}

test('a call ends with its reply, whatever the order', async () => {
  const { channel, other, next, clock } = setUp();
  const heard = next();
  const one = ask(channel);
  const two = ask(channel, { parts: 2 });
  expect((await heard).id).toBe(1);
  other.postMessage({ type: 'reply', id: 2, text: 'a' });
  other.postMessage({ type: 'reply', id: 1, text: 'b' });
  other.postMessage({ type: 'reply', id: 2, text: 'c' });
  expect(await Promise.all([one, two])).toEqual(['b', 'ac']);
  expect(clock.timers).toBe(0);
  channel.close();
});

test('a call ends with its error', async () => {
  const { channel, other, next } = setUp();
  const heard = next();
  const one = ask(channel);
  await heard;
  other.postMessage({ type: 'reply', id: 1, text: 'bad' });
  await expect(one).rejects.toMatchObject({ code: 'offline' });
  channel.close();
});

test('a call ends with its deadline, named, and the other side is told', async () => {
  const { channel, other, next, clock, heard } = setUp();
  const first = next();
  const one = ask(channel);
  await first;
  const second = next();
  clock.advance(100);
  await expect(one).rejects.toMatchObject({ code: 'call-timeout', message: /asking/ });
  expect(await second).toEqual({ type: 'cancel', id: 1 });
  other.postMessage({ type: 'reply', id: 1, text: 'late' });
  await expect.poll(() => channel.ignored).toBe(1);
  expect(heard.length).toBe(2);
  channel.close();
});

test('a call ends with its signal, and the other side is told', async () => {
  const { channel, next, clock } = setUp();
  const first = next();
  const abort = new AbortController();
  const one = ask(channel, { signal: abort.signal });
  await first;
  const second = next();
  abort.abort(new Error('gone'));
  await expect(one).rejects.toThrow('gone');
  expect((await second).type).toBe('cancel');
  await expect(ask(channel, { signal: abort.signal })).rejects.toThrow('gone');
  expect(clock.timers).toBe(0);
  channel.close();
});

test('closing ends every call and later ones, once', async () => {
  const { channel, closed, clock } = setUp();
  const calls = [ask(channel), ask(channel)];
  channel.close(new SluiceError('disconnected', 'died'));
  for (const call of calls)
    await expect(call).rejects.toMatchObject({ code: 'disconnected', message: 'died' });
  await expect(ask(channel)).rejects.toMatchObject({ code: 'disconnected' });
  channel.post({ type: 'ask', id: 9 });
  channel.close();
  expect(closed.length).toBe(1);
  expect(clock.timers).toBe(0);
});

test('the other end that closes its port is noticed where the platform tells it', async () => {
  const { channel, other } = setUp();
  const one = ask(channel);
  other.close();
  await expect(one).rejects.toMatchObject({ code: 'disconnected' });
  expect(channel.closed).toBe(true);
});

test('what answers no call is passed on; what is not understood is ignored and counted', async () => {
  const { channel, other, news } = setUp();
  other.postMessage({ type: 'news', text: 'one' });
  other.postMessage('nonsense');
  other.postMessage(null);
  other.postMessage({ type: 'news', text: 'two' });
  await expect.poll(() => news).toEqual(['one', 'two']);
  expect(channel.ignored).toBe(2);
  channel.close();
});

test('a message that cannot be sent fails its call', async () => {
  const { channel, clock } = setUp();
  const call = channel.call({
    name: 'impossible',
    message: (id) => ({ type: 'ask', id, not: () => {} }) as Ask,
    timeoutMs: 100,
    onReply: () => ({ value: 1 }),
  });
  await expect(call).rejects.toThrow();
  expect(clock.timers).toBe(0);
  channel.close();
});
