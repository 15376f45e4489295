import { writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { type ConnectionFault, RoughLink } from '../support/rough-link.ts';
import { tempDir } from '../support/temp-dir.ts';

const file = noise(9, 300_000);

/** What of the file comes over a link that treats each connection so, and how it ends. */
async function over(
  fault: ConnectionFault | undefined,
  bytesPerSecond = Number.POSITIVE_INFINITY,
  meanwhile: (link: RoughLink) => void = () => {},
): Promise<{
  readonly end: string;
  readonly bytes: number;
  readonly isPrefix: boolean;
  readonly ms: number;
}> {
  const dir = await tempDir('rough');
  await writeFile(join(dir.path, 'file.bin'), file);
  const origin = await Origin.start({ mounts: { '/': dir.path } });
  const link = await RoughLink.start({ targetPort: origin.port, bytesPerSecond, fault: () => fault });
  const startedAt = performance.now();
  const chunks: Buffer[] = [];
  const end = await new Promise<string>((resolve) => {
    const request = get(`${link.url}/file.bin`, { agent: new Agent() }, (response) => {
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        meanwhile(link);
      });
      response.on('end', () => resolve('whole'));
      response.on('error', ({ message }) => resolve(message));
    });
    request.on('error', ({ message }) => resolve(message));
  });
  const ms = performance.now() - startedAt;
  await link[Symbol.asyncDispose]();
  await origin.stop();
  await dir.remove();
  const got = Buffer.concat(chunks);
  return { end, bytes: got.length, isPrefix: got.equals(file.subarray(0, got.length)), ms };
}

test('a rough link without faults passes everything on, not faster than its rate', async () => {
  expect(await over(undefined)).toMatchObject({ end: 'whole', bytes: file.length, isPrefix: true });
  const slow = await over(undefined, 1_000_000);
  expect(slow).toMatchObject({ end: 'whole', bytes: file.length, isPrefix: true });
  expect(slow.ms).toBeGreaterThan(250);
});

for (const { fault, end } of [
  { fault: { type: 'refused' }, end: /ECONNRESET|hang up/ },
  { fault: { type: 'reset', bytes: 100_000 }, end: /ECONNRESET|aborted/ },
  { fault: { type: 'closed', bytes: 100_000 }, end: /aborted/ },
] as const satisfies { fault: ConnectionFault; end: RegExp }[]) {
  test(`a rough link: a connection that is ${fault.type} ends so, and what came is right`, async () => {
    const got = await over(fault);
    expect(got.end).toMatch(end);
    expect(got.isPrefix).toBe(true);
    expect(got.bytes).toBeLessThanOrEqual(100_000);
  });
}

test('a rough link: what is paused goes on; what is silent ends when the link is mended', async () => {
  const paused = await over({ type: 'paused', bytes: 100_000, ms: 300 });
  expect(paused).toMatchObject({ end: 'whole', bytes: file.length, isPrefix: true });
  expect(paused.ms).toBeGreaterThan(290);
  let mending = false;
  const silent = await over({ type: 'silent', bytes: 100_000 }, Number.POSITIVE_INFINITY, (link) => {
    // After the last bytes that come.
    if (!mending) setTimeout(() => link.mend(), 200);
    mending = true;
  });
  expect(silent.end).toMatch(/ECONNRESET|aborted/);
  expect(silent.bytes).toBeLessThan(100_000);
});
