import { expect, test } from '@playwright/test';
import { ModelRun } from './model/model-run.ts';

/** Of all seeds together; see model/ for what is done and compared. */
const operations = 100_000;
const seeds = [1, 2, 3, 4];

const traceLimit = Error.stackTraceLimit;
test.beforeEach(() => {
  // Tens of thousands of errors are awaited here; their traces are what would take the time.
  Error.stackTraceLimit = 0;
});
test.afterEach(() => {
  Error.stackTraceLimit = traceLimit;
});

for (const seed of seeds) {
  test(`a mount beside a simple twin: ${operations / seeds.length} random operations, seed ${seed}`, async () => {
    test.setTimeout(300_000);
    await using run = await ModelRun.start(seed);
    let step = 0;
    try {
      for (; step < operations / seeds.length; step++) await run.step();
      await run.compare();
    } catch (error) {
      const { message } = error as Error;
      throw new Error(`Seed ${seed}, step ${step}: ${message}\n${run.trail.join('\n')}`, { cause: error });
    }
    // Everything happened, and not only once.
    for (const what of expected) expect(run.counts.get(what) ?? 0, what).toBeGreaterThan(1);
  });
}

const expected = [
  ...['create-file', 'mkdir', 'link', 'unlink', 'rmdir', 'set-meta'],
  ...[
    'ENOENT',
    'EEXIST',
    'ENOTDIR',
    'EISDIR',
    'EINVAL',
    'EMLINK',
    'ENOTEMPTY',
    'ENAMETOOLONG',
    'E2BIG',
    'ENOSPC',
  ],
  ...['provide ', 'provide EINVAL', 'provide E2BIG', 'provide ERANGE', 'provide EISDIR', 'provide ENOENT'],
  ...[
    'read made ',
    'read made read-timeout',
    'read published ',
    'read published offline',
    'read ENOENT',
    'read ERANGE',
  ],
  ...['waited ', 'waited ENOENT', 'waited read-timeout', 'waited withdrawn'],
  ...['crash', 'remount', 'evict ', 'prefetch', 'scrub', 'flush', 'state'],
];
