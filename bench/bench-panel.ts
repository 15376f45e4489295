/** What the bench moves in a panel, and the panel to it. Each function is sent to the page as it is: it sees nothing else of this file. */

export interface Frames {
  readonly perSecond: number;
  /** Milliseconds from frame to frame. */
  readonly p95: number;
  readonly longest: number;
}

export interface BenchImage {
  readonly image: string;
  readonly blockCount: number;
  /** How many the leader has in its log when it is asked first. */
  readonly reads: number;
}

interface Canvas extends HTMLElement {
  /** What it says of its zoom. */
  readonly scale: string;
  zoom(steps: number): void;
}

/** At each frame, with its number. */
type Move = (frame: number) => void;

interface BenchPanel {
  readonly canvas: Canvas;
  readonly waterfall: HTMLElement;
  /** Moves at every frame, for so long. */
  frames(seconds: number, move: Move): Promise<Frames>;
  scroll(scroller: Element): Move;
  /** Of `zoom`, which is given 1 (in) or -1 (out). */
  backAndForth(zoom: (direction: number) => void): Move;
}

declare global {
  interface Window {
    benchPanel: BenchPanel;
  }
}

/** In the page: a panel whose home is a leader that has read much, and loads and reads a little more at each question. */
export async function openPanel({ image, blockCount, reads }: BenchImage): Promise<void> {
  type Listener = (event: { readonly data: unknown }) => void;
  const scope = new URL('/', location.href).href;
  const channel = `sluice:loaders:${scope}`;
  const bootstrap = new Uint8Array(await (await fetch('/bootstrap')).arrayBuffer());
  const listeners = new Map<string, Set<Listener>>();
  const deliver = (name: string, data: unknown): void => {
    setTimeout(() => {
      for (const listener of listeners.get(name) ?? []) listener({ data });
    });
  };
  let asked = 0;
  /** Three quarters in many short runs, and an end that grows. */
  const blocks = (): Uint32Array => {
    const runs: number[] = [];
    let at = 0;
    let seed = 1;
    while (at < blockCount) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      const length = Math.min(blockCount - at, 1 + ((seed >>> 16) % 96));
      const state = at < asked * 4000 ? 6 : (seed >>> 8) % 7;
      runs.push(length * 16 + state);
      at += length;
    }
    return Uint32Array.from(runs);
  };
  const begin = Date.now() - 60_000;
  let readCount = 0;
  /** Half of them waited, each in the steps of a request. */
  const newReads = (count: number): unknown[] =>
    Array.from({ length: count }, () => {
      const serial = ++readCount;
      const at = begin + serial * 2.5;
      const path = `data/part-${String(serial % 1024).padStart(4, '0')}.dat`;
      const read = { serial, path, blob: serial % 512, block: serial % 2048, atMs: at - begin, at };
      if (serial % 2) return { ...read, waitedMs: 0 };
      const steps = { sent: at + 20, answered: at + 70, arrived: at + 110, verified: at + 112 };
      return { ...read, waitedMs: 112, steps, decodeMs: 2 };
    });
  const underWay = () => ({
    ...{ serial: asked, blob: asked % 512, start: 0, end: 131072, kind: 'background', sent: Date.now() },
    ...{ answered: undefined, ended: undefined, bytes: 0, blocks: 0, verifyMs: 0 },
  });
  const inspection = () => ({
    cursor: { leader: 'bench', read: readCount, fetch: asked, error: 0 },
    at: Date.now(),
    state: {
      image,
      complete: false,
      blocks: { total: blockCount, present: asked * 4000 },
      bytes: { total: blockCount * 4096, present: asked * 4000 * 4096, fetched: 0 },
      pendingReads: [],
      sequence: 0,
      copies: { files: 0, bytes: 0 },
      loader: {
        storage: 'opfs',
        activity: 'background',
        rate: 0,
        requests: 0,
        retries: 0,
        errors: 0,
        health: 'ok',
      },
    },
    blocks: blocks(),
    pending: [],
    made: [],
    reads: newReads(readCount === 0 ? reads : 20),
    fetches: [underWay()],
    errors: [],
    queue: [],
    link: { bytesPerSecond: 0, latencyMs: 0 },
    tabs: [],
    versions: [{ image, inUse: true, isStored: true, lastUsed: 0, bytes: 0, stored: undefined }],
    storage: {
      kind: 'opfs',
      room: undefined,
      journalBytes: 0,
      limits: { run: 0.1, cull: 0.07, stop: 0.03 },
      next: [],
    },
    switches: { isPaused: false, isOffline: false, bytesPerSecond: 0, delayMs: 0, failNext: 0 },
  });
  const answer = (method: string): unknown => {
    if (method === 'readBootstrap') return bootstrap;
    if (method !== 'inspect') return undefined;
    asked += 1;
    return inspection();
  };
  const home = {
    scope,
    newChannel: (name: string) => ({
      postMessage(message: { type: string; id: number; from: string; method: string }) {
        if (message.type === 'who-leads') deliver(channel, { type: 'leads', loader: 'bench' });
        if (message.type !== 'call') return;
        deliver(`${channel}:bench:${message.from}`, {
          type: 'result',
          id: message.id,
          value: answer(message.method),
        });
      },
      addEventListener(type: string, listener: Listener) {
        if (type !== 'message') return;
        const known = listeners.get(name) ?? new Set();
        listeners.set(name, known.add(listener));
      },
      removeEventListener: (_type: string, listener: Listener) => listeners.get(name)?.delete(listener),
      close: () => {},
    }),
    holdLock: async () => () => {},
    heldLocks: async () => [`sluice:writer:${scope}`],
  };
  const panel = Object.assign(document.createElement('sluice-inspector'), { home });
  panel.setAttribute('full-page', '');
  document.body.append(panel);
  const inside = (element: Element, ...tags: readonly string[]): Element =>
    tags.reduce((outer, tag) => outer.shadowRoot!.querySelector(tag)!, element);
  const view = (...tags: readonly string[]): Element => inside(panel, 'sluice-inspector-shell', ...tags);
  const framesOf = (times: readonly number[]): Frames => {
    const gaps = times.slice(1).map((time, i) => time - times[i]!);
    const sorted = gaps.toSorted((a, b) => a - b);
    return {
      perSecond: (gaps.length * 1000) / (times.at(-1)! - times[0]!),
      p95: sorted[Math.floor(sorted.length * 0.95)]!,
      longest: sorted.at(-1)!,
    };
  };
  window.benchPanel = {
    get canvas() {
      return view('sluice-block-map-view', 'sluice-block-canvas') as Canvas;
    },
    get waterfall() {
      return view('sluice-launch-view', 'sluice-waterfall-list') as HTMLElement;
    },
    frames(seconds, move) {
      const times: number[] = [];
      const end = performance.now() + seconds * 1000;
      return new Promise((resolve) => {
        requestAnimationFrame(function frame(now) {
          times.push(now);
          if (now > end) return resolve(framesOf(times));
          move(times.length);
          requestAnimationFrame(frame);
        });
      });
    },
    scroll(scroller) {
      let direction = 1;
      return () => {
        const before = scroller.scrollTop;
        scroller.scrollTop += direction * 40;
        if (scroller.scrollTop === before) direction = -direction;
      };
    },
    backAndForth(zoom) {
      let direction = 1;
      let steps = 0;
      return (frame) => {
        if (frame % 3 !== 0) return;
        zoom(direction);
        steps += 1;
        if (steps % 19 === 0) direction = -direction;
      };
    },
  };
}

export function scrollMap(seconds: number): Promise<Frames> {
  const { canvas, frames, scroll } = window.benchPanel;
  return frames(seconds, scroll(canvas.shadowRoot!.querySelector('.scroller')!));
}

export function zoomMap(seconds: number): Promise<Frames> {
  const { canvas, frames, backAndForth } = window.benchPanel;
  return frames(
    seconds,
    backAndForth((direction) => canvas.zoom(direction)),
  );
}

/** Only what the leader tells anew is drawn. */
export function watchWaterfall(seconds: number): Promise<Frames> {
  return window.benchPanel.frames(seconds, () => {});
}

export function scrollWaterfall(seconds: number): Promise<Frames> {
  const { waterfall, frames, scroll } = window.benchPanel;
  return frames(seconds, scroll(waterfall));
}

export function zoomWaterfall(seconds: number): Promise<Frames> {
  const { waterfall, frames, backAndForth } = window.benchPanel;
  return frames(
    seconds,
    backAndForth((direction) =>
      waterfall.dispatchEvent(
        new KeyboardEvent('keydown', { key: direction > 0 ? '+' : '-', composed: true }),
      ),
    ),
  );
}
