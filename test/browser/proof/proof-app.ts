import { seededRandom } from '../../support/random.ts';
import { type AppFiles, appPage, appScript } from '../small-site.ts';
import { contentOf, type SeededFile } from './seeded-file.ts';

/** An app of seeded files, with a page that says when it runs. */
export interface ProofApp {
  readonly files: AppFiles;
  readonly seeded: readonly SeededFile[];
}

export function proofApp(seeded: readonly SeededFile[]): ProofApp {
  const files: Record<string, string | Uint8Array> = {
    'index.html': appPage('The proof'),
    'pages/second.html': appPage('The second page', '../'),
    'app.js': appScript,
  };
  for (const file of seeded) files[file.path] = contentOf(file);
  return { files, seeded };
}

/** Sizes at which blocks begin, end, and are just passed. */
const edges = [
  0,
  1,
  4095,
  2 ** 16 - 1,
  2 ** 16,
  2 ** 16 + 1,
  2 ** 17,
  2 ** 18 - 1,
  2 ** 18,
  2 ** 18 + 1,
  2 ** 20,
] as const;

/** Every size at a block's edge, `count` others up to 64 KiB, and `large` files of the given sizes; noise and text by turns. */
export function mixedFiles(
  seed: number,
  options: { readonly count: number; readonly large: readonly number[] },
): SeededFile[] {
  const random = seededRandom(seed);
  const files: SeededFile[] = [];
  const add = (folder: string, size: number): void => {
    const i = files.length;
    const text = i % 2 === 1;
    // Names that URLs must encode, and types that are read whole (js, json) or by range (bin, data).
    const name = ['plain', 'with space', 'ümläut', '100%', 'a#b', 'a?b', 'a+b'][i % 7];
    const extension = text ? ['js', 'json', 'data'][i % 3] : ['bin', 'wasm', 'png', 'dat'][i % 4];
    files.push({ path: `${folder}/${name} ${i}.${extension}`, size, seed: seed * 1000 + i, text });
  };
  for (const size of edges) {
    add('edges', size);
    add('edges', size);
  }
  for (let i = 0; i < options.count; i++) add('small/deep/er', Math.floor(random() * 2 ** 16));
  for (const size of options.large) add('zz-large', size);
  return files;
}

/** The URL path of a file, relative to the app's root. */
export function urlOf(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
