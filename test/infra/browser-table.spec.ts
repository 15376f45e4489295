import { readFile } from 'node:fs/promises';
import { expect, test } from '@playwright/test';
import { browserTable, resultsOf, withTable } from '../../scripts/browser-table.mjs';

const run = (status: string, results: unknown[] = [{}], annotations: unknown[] = []) => ({
  projectName: 'firefox',
  status,
  results,
  annotations,
});

const report = {
  suites: [
    {
      file: 'browser/launch.spec.ts',
      specs: [
        { title: 'comes up', tests: [run('expected')] },
        { title: 'goes down', tests: [run('unexpected')] },
      ],
      suites: [
        {
          specs: [
            {
              title: 'needs a mouse',
              tests: [run('skipped', [{}], [{ type: 'skip', description: 'no mouse' }])],
            },
            { title: 'was never started', tests: [run('skipped', [])] },
            { title: 'was cut short', tests: [run('unexpected', [{ status: 'interrupted' }])] },
          ],
        },
      ],
    },
  ],
};

test('the table tells what passed, names what failed, and gives the reason of what was left out', () => {
  const results = resultsOf(report);
  expect(results).toEqual({
    firefox: {
      'browser/launch.spec.ts': {
        'comes up': 'passed',
        'goes down': 'failed',
        'needs a mouse': 'no mouse',
      },
    },
  });
  const table = browserTable(results);
  expect(table).toContain('| First and later launches |  | 1 of 2 [1] [2] |  |');
  expect(table).toContain('[1] fails: goes down');
  expect(table).toContain('[2] not tested: no mouse');
});

test('README.md has the table that docs/browsers.json makes', async () => {
  const readme = await readFile('README.md', 'utf8');
  expect(withTable(readme, JSON.parse(await readFile('docs/browsers.json', 'utf8')))).toBe(readme);
});
