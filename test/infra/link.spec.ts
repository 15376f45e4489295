import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { LINKS, type LinkShape, ShapedLink } from '../../bench/link.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { tempDir } from '../support/temp-dir.ts';

// What is asserted of time is that the link is never faster than its shape: that holds on a machine that is busy with other
// things, too. How near it comes is printed by `npm run bench`, on a quiet machine.
test.describe.configure({ mode: 'default' });

const FILE = noise(7, 3_000_000);

async function withLink(shape: LinkShape, use: (link: ShapedLink, origin: Origin) => Promise<void>) {
  const dir = await tempDir('link');
  await writeFile(join(dir.path, 'file.bin'), FILE);
  const origin = await Origin.start({ mounts: { '/': dir.path } });
  const link = await ShapedLink.start({ shape, targetPort: origin.port });
  try {
    await use(link, origin);
  } finally {
    await link.stop();
    await origin.stop();
    await dir.remove();
  }
}

/** Milliseconds from the request to the end of its answer, over `agent`'s connections. */
async function timedGet(url: string, agent: Agent, range: string): Promise<{ ms: number; bytes: Buffer }> {
  const startedAt = performance.now();
  const request = get(url, { agent, headers: { Range: range } });
  const [response] = await once(request, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { ms: performance.now() - startedAt, bytes: Buffer.concat(chunks) };
}

for (const connections of [1, 6]) {
  test(`the rate is the link's, over ${connections} connection(s)`, async () => {
    await withLink(LINKS.medium, async (link) => {
      const agent = new Agent({ keepAlive: true, maxSockets: connections });
      await Promise.all(
        Array.from({ length: connections }, () => timedGet(`${link.url}/file.bin`, agent, 'bytes=0-0')),
      );
      await link.reset();
      const share = FILE.length / connections;
      const startedAt = performance.now();
      const parts = await Promise.all(
        Array.from({ length: connections }, (_, i) =>
          timedGet(`${link.url}/file.bin`, agent, `bytes=${i * share}-${(i + 1) * share - 1}`),
        ),
      );
      const ms = performance.now() - startedAt - LINKS.medium.rttMs;
      expect(Buffer.concat(parts.map((part) => part.bytes)).equals(FILE)).toBe(true);
      const { down, peakBuffered } = await link.stats();
      const mbit = (down * 8) / 1000 / ms;
      expect(mbit).toBeLessThan(22);
      expect(down).toBeGreaterThan(FILE.length);
      expect(down).toBeLessThan(FILE.length + connections * 1000);
      const inFlight = (LINKS.medium.mbitPerSecond / 8) * 1000 * (LINKS.medium.rttMs / 2);
      // Node reads 64 KiB at a time, so each connection may overshoot by that.
      expect(peakBuffered).toBeLessThan(inFlight + 256 * 1024 + connections * 64 * 1024 + 64 * 1024);
      agent.destroy();
    });
  });
}

for (const [name, shape] of Object.entries(LINKS)) {
  test(`the ${name} link's round trip, and the extra one of a new connection`, async () => {
    await withLink(shape, async (link) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const first = (await timedGet(`${link.url}/file.bin`, agent, 'bytes=0-0')).ms;
      const later: number[] = [];
      for (let i = 0; i < 12; i++)
        later.push((await timedGet(`${link.url}/file.bin`, agent, 'bytes=0-0')).ms);
      agent.destroy();
      expect((await link.stats()).connections).toBe(1);
      expect(Math.min(...later)).toBeGreaterThan(shape.rttMs - 1);
      expect(first).toBeGreaterThan(2 * shape.rttMs - 2);
    });
  });
}

test('a link takes another shape, and the first one again', async () => {
  await withLink(LINKS.slow, async (link) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const took = async () => (await timedGet(`${link.url}/file.bin`, agent, 'bytes=0-999999')).ms;
    const slowMs = (8 * 1e6) / 1000 / LINKS.slow.mbitPerSecond;
    await link.reshape({ mbitPerSecond: Number.POSITIVE_INFINITY, rttMs: 0 });
    expect(await took()).toBeLessThan(slowMs);
    await link.reshape(LINKS.slow);
    expect(await took()).toBeGreaterThan(slowMs);
    agent.destroy();
  });
});

test('turns are fair: a small answer does not wait for a large one', async () => {
  await withLink(LINKS.slow, async (link) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 2 });
    await timedGet(`${link.url}/file.bin`, agent, 'bytes=0-0');
    const large = timedGet(`${link.url}/file.bin`, agent, 'bytes=0-999999').then(() => 'large');
    const small = timedGet(`${link.url}/file.bin`, agent, 'bytes=0-9999').then(() => 'small');
    expect(await Promise.race([large, small])).toBe('small');
    await large;
    agent.destroy();
  });
});

test('uploads are shaped too, and a sender that is too fast is held back', async () => {
  const received = { bytes: 0 };
  const sink = createServer((socket) => {
    socket.on('data', (bytes: Buffer) => {
      received.bytes += bytes.length;
    });
    socket.on('end', () => socket.end('ok'));
  });
  sink.listen(0, '127.0.0.1');
  await once(sink, 'listening');
  const address = sink.address() as { port: number };
  const link = await ShapedLink.start({ shape: LINKS.medium, targetPort: address.port });
  const socket = connect({ port: link.port, host: '127.0.0.1', allowHalfOpen: true });
  const startedAt = performance.now();
  socket.end(Buffer.from(FILE.buffer, 0, 1_000_000));
  await once(socket, 'data');
  const ms = performance.now() - startedAt - 2 * LINKS.medium.rttMs;
  expect(received.bytes).toBe(1_000_000);
  expect((received.bytes * 8) / 1000 / ms).toBeLessThan(22);
  socket.destroy();
  await link.stop();
  sink.close();
});

test('an abort reaches the server, and a server that is gone reaches the client', async () => {
  await withLink(LINKS.medium, async (link, origin) => {
    // Slow enough that the kernel's buffers do not take the whole file at once.
    origin.fault = () => ({ type: 'throttle', bytesPerSecond: 1_000_000 });
    const aborter = new AbortController();
    const response = await fetch(`${link.url}/file.bin`, { signal: aborter.signal });
    await response.body!.getReader().read();
    aborter.abort();
    const ended = await origin.waitForRequest((request) => request.endedAt !== undefined);
    expect(ended.aborted).toBe(true);
    const running = fetch(`${link.url}/file.bin`).then((next) => next.arrayBuffer());
    await origin.waitForRequest((request) => request.endedAt === undefined);
    await Promise.all([expect(running).rejects.toThrow(), origin.stop()]);
    await expect(fetch(`${link.url}/file.bin`)).rejects.toThrow();
  });
});
