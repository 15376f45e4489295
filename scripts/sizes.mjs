// Prints what a visitor's browser fetches besides the app itself, and fails when it grows past the budget.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** What stands between a visitor and the first byte of the app, beside the zstd decoder where the image needs it; `gzip -9`. */
const budget = 64 * 1024;
const budgeted = ['index.html', 'sw.js', '__sluice/client.js'];
/** Comes beside it. */
const others = ['__sluice/loader.js', '__sluice/zstd.wasm', '__sluice/icon.svg'];

/** Fetched by nobody but who opens the inspector. */
const inspector = ['__sluice/inspector.js', '__sluice/index.html'];

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const runtime = join(dist, 'runtime');

/** @param {number | string} value */
const cell = (value) => String(value).padStart(10);
/** @param {string} dir */
const sizesIn = (dir) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(dir, name));
      return {
        name,
        raw: bytes.length,
        gzip: gzipSync(bytes, { level: 9 }).length,
        brotli: brotliCompressSync(bytes).length,
      };
    });
const rows = sizesIn(runtime);
const sum = { name: `under ${budget / 1024} KB`, raw: 0, gzip: 0, brotli: 0 };
for (const row of rows.filter(({ name }) => budgeted.includes(name))) {
  sum.raw += row.raw;
  sum.gzip += row.gzip;
  sum.brotli += row.brotli;
}

const order = [...budgeted, sum.name, ...others, ...inspector];
const rank = (/** @type {{ name: string }} */ { name }) => order.indexOf(name);
/** @param {string} title @param {(number | string)[]} cells */
const row = (title, ...cells) => console.log(`${title.padEnd(22)}${cells.map(cell).join('')}`);
/** @param {{ name: string, raw: number, gzip: number, brotli: number }} size */
const print = ({ name, raw, gzip, brotli }) => row(name, raw, gzip, brotli);
row('dist/runtime', 'bytes', 'gzip -9', 'brotli');
for (const size of [...rows, sum].sort((a, b) => rank(a) - rank(b))) {
  if (size.name === inspector[0]) console.log('the inspector, when it is opened');
  print(size);
}
console.log('dist/extension');
for (const size of sizesIn(join(dist, 'extension'))) print(size);

for (const { name } of rows) {
  const source = name.endsWith('.js') ? readFileSync(join(runtime, name), 'utf8') : '';
  // A page's policy may forbid these, and then the app would not start.
  if (/\beval\s*\(|new Function\b/.test(source)) fail(`${name} makes code from strings.`);
}
for (const name of [...budgeted, ...others, ...inspector]) {
  if (!rows.some((row) => row.name === name)) fail(`${name} is missing.`);
}
if (sum.gzip > budget) {
  fail(`${budgeted.join(' + ')} are ${sum.gzip} bytes gzipped, over the budget of ${budget}.`);
}

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(`dist/runtime: ${message}`);
  process.exit(1);
}
