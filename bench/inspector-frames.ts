import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from '@playwright/test';
import { findChromium } from '../scripts/find-browsers.mjs';
import { Origin } from '../test/support/origin.ts';
import { columns } from './columns.ts';
import { blockCount, millionBlocks } from './million-blocks.ts';

const seconds = 4;

/** The parts of the panel that the bench moves. */
interface Canvas extends HTMLElement {
  readonly scale: string;
  zoom(steps: number): void;
}

interface Frames {
  /** What the canvas says of its zoom. */
  readonly scale: string;
  readonly perSecond: number;
  /** Milliseconds from frame to frame. */
  readonly p95: number;
  readonly longest: number;
}

/** Scrolls and zooms the block map of an image of a million blocks, whose states change at each question, and prints the frames per second. */
export async function inspectorFrames(): Promise<void> {
  const bootstrap = millionBlocks();
  const image = createHash('sha256').update(bootstrap).digest('hex');
  await using origin = await Origin.start({
    mounts: { '/': fileURLToPath(new URL('../dist/runtime/', import.meta.url)) },
    routes: {
      '/bench.html': (_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html>'),
      '/bootstrap': (_, response) => response.end(bootstrap),
    },
  });
  const executablePath = await findChromium();
  if (!executablePath) throw new Error('no Chromium: run `node scripts/ensure-installed.mjs --browsers`');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto(`${origin.url}/bench.html`);
    await page.addScriptTag({ url: '/__sluice/inspector.js' });
    await page.evaluate(openPanel, { image, blockCount });
    await page.locator('sluice-block-canvas').waitFor();
    const rows = [['', 'cells', 'frames/s', '95 % within', 'longest']];
    const add = (name: string, { scale, perSecond, p95, longest }: Frames): void => {
      rows.push([name, scale, perSecond.toFixed(1), `${p95.toFixed(1)} ms`, `${longest.toFixed(1)} ms`]);
    };
    for (const order of ['By blob', 'By file']) {
      await page.getByRole('button', { name: order }).click();
      for (const scale of ['1 px', '4 px', '12 px']) {
        await zoomTo(page, scale);
        add(`${order}, scrolling`, await page.evaluate(drive, { kind: 'scroll', seconds } as const));
      }
      add(`${order}, zooming`, await page.evaluate(drive, { kind: 'zoom', seconds } as const));
    }
    console.log(
      `\nthe block map of ${blockCount.toLocaleString('en')} blocks, 1400 × 900, states changing\n${columns(rows, 2)}`,
    );
  } finally {
    await browser.close();
  }
}

async function zoomTo(page: Page, scale: string): Promise<void> {
  await page.evaluate((wanted) => {
    const canvas = window.benchCanvas();
    for (let i = 0; i < 30; i++) canvas.zoom(-1);
    for (let i = 0; i < 30 && canvas.scale !== wanted; i++) canvas.zoom(1);
    if (canvas.scale !== wanted) throw new Error(`no zoom of ${wanted}`);
  }, scale);
}

declare const window: Window & { benchCanvas: () => Canvas };

/** In the page: a panel whose home is a leader that loads a little at each question. */
async function openPanel({ image, blockCount }: { image: string; blockCount: number }): Promise<void> {
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
  const inspection = () => ({
    cursor: { leader: 'bench', read: 0, fetch: 0, error: 0 },
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
    reads: [],
    fetches: [],
    errors: [],
    queue: [],
    link: { bytesPerSecond: 0, latencyMs: 0 },
    tabs: [],
    versions: [{ image, inUse: true, isStored: true, lastUsed: 0, bytes: 0 }],
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
  const inside = (element: Element, tag: string): Element => element.shadowRoot!.querySelector(tag)!;
  window.benchCanvas = () =>
    inside(
      inside(inside(panel, 'sluice-inspector-shell'), 'sluice-block-map-view'),
      'sluice-block-canvas',
    ) as Canvas;
}

/** In the page: moves at every frame, for so long. */
async function drive({ kind, seconds }: { kind: 'scroll' | 'zoom'; seconds: number }): Promise<Frames> {
  const canvas = window.benchCanvas();
  const scroller = canvas.shadowRoot!.querySelector('.scroller')!;
  const scale = kind === 'zoom' ? 'all' : canvas.scale;
  const times: number[] = [];
  let direction = 1;
  let steps = 0;
  const end = performance.now() + seconds * 1000;
  await new Promise<void>((resolve) => {
    requestAnimationFrame(function frame(now) {
      times.push(now);
      if (now > end) return resolve();
      if (kind === 'scroll') {
        const before = scroller.scrollTop;
        scroller.scrollTop += direction * 40;
        if (scroller.scrollTop === before) direction = -direction;
      } else if (times.length % 3 === 0) {
        canvas.zoom(direction);
        steps += 1;
        if (steps % 19 === 0) direction = -direction;
      }
      requestAnimationFrame(frame);
    });
  });
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  const sorted = gaps.toSorted((a, b) => a - b);
  return {
    scale,
    perSecond: (gaps.length * 1000) / (times.at(-1)! - times[0]!),
    p95: sorted[Math.floor(sorted.length * 0.95)]!,
    longest: sorted.at(-1)!,
  };
}
