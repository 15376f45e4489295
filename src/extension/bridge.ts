import type { BridgeCall, BridgeOptions, Exchange, FromBridge, Line, ToBridge } from './bridge-messages.ts';
import type { Wire } from './wire.ts';

/**
 * Runs in the main world of the inspected page: opens channels and holds locks there for one panel, until that asks no more. It names nothing outside of itself,
 * since its text is what gets there; it changes nothing of the page but one property of a symbol of its own, which takes the JSON of an {@link Exchange} and answers one.
 */
export function bridge(makeWire: () => Wire, options: BridgeOptions): void {
  const { key, leaseMs, mostWaiting, mostTaken } = options;
  const wire = makeWire();
  const sender = wire.newSender();
  const channels = new Map<number, BroadcastChannel>();
  const locks = new Map<number, () => void>();
  const ended = new AbortController();
  let isAsked = true;

  const say = (message: FromBridge): void => sender.push(wire.toLine([0, message]));

  const closeChannel = (channel: number): void => {
    channels.get(channel)?.close();
    channels.delete(channel);
  };

  const openChannel = (channel: number, name: string): void => {
    const broadcast = new BroadcastChannel(name);
    channels.set(channel, broadcast);
    const lose = (why: 'too-much' | 'unreadable'): void => {
      closeChannel(channel);
      say({ type: 'lost', channel, why });
    };
    broadcast.onmessage = ({ data }) => {
      let line: string;
      try {
        line = wire.toLine([channel, data]);
      } catch {
        lose('unreadable'); // The panel says so.
        return;
      }
      if (sender.waiting + line.length > mostWaiting) lose('too-much');
      else sender.push(line);
    };
    broadcast.onmessageerror = () => lose('unreadable');
  };

  const answer = async ({ id }: BridgeCall, value: () => Promise<unknown>): Promise<void> => {
    try {
      say({ type: 'answer', id, value: await value() });
    } catch (error) {
      say({ type: 'failed', id, message: String(error) });
    }
  };

  const lockManager = (): LockManager => {
    if (navigator.locks === undefined) throw new TypeError('the page has no secure context');
    return navigator.locks;
  };

  const hold = (lock: number, name: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const until = new Promise<void>((release) => {
        locks.set(lock, release);
      });
      const held = (): Promise<void> => {
        resolve();
        return until;
      };
      lockManager().request(name, { signal: ended.signal }, held).catch(reject);
    });

  const heldLocks = async (): Promise<string[]> => {
    const { held = [] } = await lockManager().query();
    return held.map(({ name }) => name!);
  };

  /** `[name, at]` of what has happened. */
  const marks = async (): Promise<[string, number][]> => {
    const navigation = performance.getEntriesByType('navigation')[0] as
      | PerformanceNavigationTiming
      | undefined;
    const times: [string, number | undefined][] = [
      ['responseStart', navigation?.responseStart],
      ['domInteractive', navigation?.domInteractive],
      ['domContentLoaded', navigation?.domContentLoadedEventEnd],
      ['load', navigation?.loadEventEnd],
      ...performance
        .getEntriesByType('paint')
        .map(({ name, startTime }): [string, number] => [name, startTime]),
    ];
    // 0 stands for what has not happened.
    const since = times.filter((mark): mark is [string, number] => (mark[1] ?? 0) > 0);
    return [['navigationStart', 0] as [string, number], ...since].map(([name, ms]) => [
      name,
      performance.timeOrigin + ms,
    ]);
  };

  const isServed = async (): Promise<boolean> => {
    const { sluice } = globalThis as { sluice?: { state?: unknown } };
    return typeof sluice?.state === 'function';
  };

  const obey = (message: ToBridge): void => {
    switch (message.type) {
      case 'open':
        openChannel(message.channel, message.name);
        break;
      case 'close':
        closeChannel(message.channel);
        break;
      case 'release':
        locks.get(message.lock)?.();
        locks.delete(message.lock);
        break;
      case 'hold':
        void answer(message, () => hold(message.id, message.name));
        break;
      case 'locks':
        void answer(message, heldLocks);
        break;
      case 'marks':
        void answer(message, marks);
        break;
      case 'served':
        void answer(message, isServed);
        break;
    }
  };

  const receiver = wire.newReceiver((line) => {
    const [channel, message] = wire.fromLine(line) as Line;
    if (channel === 0) obey(message as ToBridge);
    else channels.get(channel)?.postMessage(message);
  });

  const exchange = (text: string): string => {
    isAsked = true;
    const asked = JSON.parse(text) as Exchange;
    receiver.receive(asked);
    sender.acknowledge(asked.received);
    const taken = sender.take(mostTaken);
    const length = taken.pieces.reduce((sum, piece) => sum + piece.length, 0);
    const reply: Exchange = { ...taken, received: receiver.received, more: sender.waiting > length };
    return JSON.stringify(reply);
  };

  const end = (): void => {
    clearInterval(timer);
    removeEventListener('pagehide', end);
    Reflect.deleteProperty(globalThis, Symbol.for(key));
    for (const channel of [...channels.keys()]) closeChannel(channel);
    ended.abort();
    for (const release of locks.values()) release();
  };

  // Two looks: a page that was busy for long has its timers run before it hears of the panel again.
  const timer = setInterval(() => {
    if (!isAsked) end();
    isAsked = false;
  }, leaseMs / 2);
  // A page that comes back from the back/forward cache is inspected anew.
  addEventListener('pagehide', end);
  Object.defineProperty(globalThis, Symbol.for(key), {
    value: { exchange, end },
    configurable: true,
  });
}
