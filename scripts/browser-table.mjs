// @ts-check
// Writes README.md's table of what works in which browser, from the results of test runs.
//   node scripts/browser-table.mjs REPORT.json...   reports of `playwright test --reporter=json`: what they say of a test
//                                                   takes the place of what docs/browsers.json has of it
//   node scripts/browser-table.mjs                  the table anew, of what docs/browsers.json has
import { readFileSync, writeFileSync } from 'node:fs';

/** @typedef {Record<string, Record<string, Record<string, string>>>} Results by project, file, title: `passed`, `failed`, or the reason of a skip */

const BROWSERS = {
  chromium: 'Chromium',
  firefox: 'Firefox',
  webkit: 'WebKitGTK',
};

/** What is shown of which test files. */
const ROWS = [
  [
    'First and later launches',
    /browser\/(boot|deep-links|launch|in-place|launch-requests|warm-launch|demo)\./,
  ],
  ['Real apps', /browser\/apps\//],
  ['HTTP: ranges, media, caching, mappings', /browser\/sw-(http|mapping)/],
  ['Offline, and with the service worker stopped', /browser\/(offline|sw-cold-start)/],
  ['Copies of code', /browser\/code-copies/],
  ['Releases', /browser\/(sw-versions|sw-update|releases)/],
  ['Storage that is full, cleared, or not there', /browser\/(storage-cleared|launch-storage|shared-origin)/],
  ['The library: `mount()`', /browser\/mount/],
  ['The store in OPFS', /browser\/(store|scrub)/],
  ['Codecs and strict policies', /browser\/(codec|zstd-file)/],
  ['Kills, tabs, faults, wrong bytes', /browser\/(proof|torture|lifecycle|recovery|schedules)/],
  ['Security', /browser\/security/],
  ['`sluice record`', /browser\/record/],
  ['The inspector, launch metrics', /browser\/(inspector|launch-metrics)/],
  ['No OPFS: nothing is stored', /webkit\//],
];

const BEGIN = '<!-- browsers: made by scripts/browser-table.mjs -->';
const END = '<!-- /browsers -->';

/**
 * @param {any} report of Playwright's JSON reporter
 * @returns {Results}
 */
export function resultsOf(report) {
  /** @type {Results} */
  const results = {};
  /** @param {any} suite @param {string} file */
  const walk = (suite, file) => {
    for (const spec of suite.specs ?? []) {
      for (const { projectName, status, annotations, results: runs } of spec.tests) {
        const skip = annotations.find((/** @type {{ type: string }} */ { type }) => type === 'skip');
        // Never started, or stopped: the run was cut short.
        const cut = runs.every((/** @type {{ status: string }} */ run) => run.status === 'interrupted');
        if (!(projectName in BROWSERS) || (!skip && (cut || status === 'skipped'))) continue;
        results[projectName] ??= {};
        results[projectName][file] ??= {};
        results[projectName][file][spec.title] =
          status === 'expected' ? 'passed' : (skip?.description ?? 'failed');
      }
    }
    for (const inner of suite.suites ?? []) walk(inner, file);
  };
  for (const suite of report.suites) walk(suite, suite.file);
  return results;
}

/**
 * @param {Results} results
 * @returns {string} the table in Markdown, and its notes
 */
export function browserTable(results) {
  /** @type {string[]} */
  const notes = [];
  /** @param {string} text */
  const note = (text) => {
    if (!notes.includes(text)) notes.push(text);
    return `[${notes.indexOf(text) + 1}]`;
  };
  const lines = ROWS.map(([title, files]) => {
    const cells = Object.keys(BROWSERS).map((browser) => {
      const of = Object.entries(results[browser] ?? {}).filter(([file]) =>
        /** @type {RegExp} */ (files).test(file),
      );
      const tests = of.flatMap(([, tests]) => Object.entries(tests));
      const passed = tests.filter(([, result]) => result === 'passed').length;
      const failed = tests.filter(([, result]) => result === 'failed');
      const skipped = tests.filter(([, result]) => result !== 'passed' && result !== 'failed');
      const marks = [
        ...failed.map(([title]) => note(`fails: ${title}`)),
        ...new Set(skipped.map(([, reason]) => note(`not tested: ${reason}`))),
      ].join(' ');
      if (passed + failed.length === 0) return skipped.length > 0 ? `– ${marks}` : '';
      const counts = failed.length === 0 ? `yes (${passed})` : `${passed} of ${passed + failed.length}`;
      return marks === '' ? counts : `${counts} ${marks}`;
    });
    return `| ${title} | ${cells.join(' | ')} |`;
  });
  const head = `| | ${Object.values(BROWSERS).join(' | ')} |\n| --- | --- | --- | --- |`;
  const list = notes.map((text, i) => `[${i + 1}] ${text}`).join('  \n');
  return `${head}\n${lines.join('\n')}\n${list === '' ? '' : `\n${list}\n`}`;
}

/**
 * @param {string} readme
 * @param {Results} results
 * @returns {string} the same with the table of these results
 */
export function withTable(readme, results) {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`README.md needs the lines ${BEGIN} and ${END}`);
  return `${readme.slice(0, begin)}${BEGIN}\n\n${browserTable(results)}\n${readme.slice(end)}`;
}

if (process.argv[1] === import.meta.filename) {
  const root = new URL('../', import.meta.url);
  const [stored, readme] = [new URL('docs/browsers.json', root), new URL('README.md', root)];
  /** @type {Results} */
  const results = JSON.parse(readFileSync(stored, 'utf8'));
  for (const path of process.argv.slice(2)) {
    for (const [browser, files] of Object.entries(resultsOf(JSON.parse(readFileSync(path, 'utf8'))))) {
      results[browser] ??= {};
      for (const [file, tests] of Object.entries(files))
        results[browser][file] = { ...results[browser][file], ...tests };
    }
  }
  writeFileSync(stored, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(readme, withTable(readFileSync(readme, 'utf8'), results));
}
