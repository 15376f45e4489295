import { expect, test } from '@playwright/test';
import { Image } from '../../src/image/image.ts';
import { BlockSpace } from '../../src/inspector/model/block-space.ts';
import { diagnosticReport } from '../../src/inspector/model/diagnostic-report.ts';
import { withoutSecrets } from '../../src/inspector/model/without-secrets.ts';
import { makeSite } from '../loader/site-fixture.ts';
import { aFetch, anInspection, aRead } from './sample.ts';

test('the report tells state, waits and errors, and nothing of a URL behind its path, nor content', async () => {
  const site = await makeSite([{ name: 'a.bin', size: 9000, shift: 12 }], 100_000);
  const image = await Image.open(site.bootstrap, { sha256: site.image });
  const space = new BlockSpace(image.blobs());
  const text = diagnosticReport(
    {
      scope: 'https://name:word@example.com/app/?token=secret#part',
      image,
      space,
      states: new Uint8Array(space.length),
      statesVersion: 1,
      inspection: anInspection({
        state: { ...anInspection().state, mappings: { hits: 7, misses: 8, revalidations: 9 } },
        tabs: [
          {
            loader: 'leader',
            image: 'a'.repeat(64),
            isLeader: true,
            isInspector: false,
            page: { path: '/app/a.html', isVisible: true },
          },
          { loader: 'panel', image: 'a'.repeat(64), isLeader: false, isInspector: true },
        ],
        made: Array.from({ length: 60 }, (_, i) => ({
          path: `own/${i}.txt`,
          size: 1,
          blocks: 1,
          present: 1,
        })),
      }),
      reads: [aRead(), aRead({ serial: 2, path: 'level.bin', waitedMs: 77 })],
      made: [],
      fetches: [aFetch()],
      errors: [
        {
          serial: 1,
          at: 1000,
          code: 'bad-origin',
          message: 'GET https://example.com/x.bin?key=secret gave 500',
        },
      ],
    },
    'Chromium',
  );
  expect(text).not.toMatch(/secret|word|token/);
  expect(text).toContain('https://example.com/x.bin gave 500');
  expect(text).toContain('; 1 tab; storage');
  expect(text).toContain('Files made at run time: 60;');
  const json = JSON.parse(/```json\n(.*)\n```/s.exec(text)![1]!);
  expect(json.made).toHaveLength(50);
  expect(json.made[0]).toEqual({ path: 'own/0.txt', size: 1, blocks: 1, present: 1 });
  expect(json).toMatchObject({
    scope: 'https://example.com/app/',
    totals: { reads: 2, waited: 1, longestWait: 77 },
    longestWaits: [{ path: 'level.bin', waitedMs: 77 }],
    errors: [{ code: 'bad-origin' }],
    state: { blocks: { total: 20, present: 10 }, mappings: { hits: 7, misses: 8, revalidations: 9 } },
    tabs: [{ page: { path: '/app/a.html', isVisible: true } }, { isInspector: true }],
  });
});

test('what is private in URLs is cut out of any text', () => {
  expect(withoutSecrets('read "/a/b?c=d&e" failed')).toBe('read "/a/b" failed');
  expect(withoutSecrets('https://u:p@h.example/a#frag and why? Because')).toBe(
    'https://h.example/a and why? Because',
  );
  expect(withoutSecrets('img data:image/png;base64,AAAA done')).toBe('img data:… done');
});
