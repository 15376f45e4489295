// Writes dist/THIRD-PARTY-NOTICES.txt: the licences of what others have written and the bundles contain, as their packages give them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** What vite puts into dist; all other dependencies are installed as packages of their own. */
const bundled = [
  '@lit/reactive-element',
  'comlink',
  'idb-keyval',
  'lit',
  'lit-element',
  'lit-html',
  'lz4js',
  'mime',
  'workbox-core',
  'workbox-window',
  'zstddec',
];

const notices = bundled.map((name) => {
  const dir = join(root, 'node_modules', name);
  const { version, license, author } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
  const file = readdirSync(dir).find((entry) => /^licen[cs]e/i.test(entry));
  const by = typeof author === 'object' ? author.name : author;
  // One that brings no text names its licence and its author.
  const text = file === undefined ? `${license}, ${by}` : readFileSync(join(dir, file), 'utf8').trim();
  return `${name} ${version}\n\n${text}\n`;
});
const text = notices.join(`\n${'-'.repeat(72)}\n\n`);
// The extension goes to stores by itself.
for (const dir of ['dist', 'dist/extension']) writeFileSync(join(root, dir, 'THIRD-PARTY-NOTICES.txt'), text);
