import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makePdf } from './make-pdf.ts';
import { copyFromPackage, copyPage, prepareApp, type TestApp } from './test-app.ts';

/** Pages of the document; each holds an image that no codec can shrink. */
export const PDF_PAGES = 300;

/**
 * The viewer component of pdf.js, the npm package's own files, over a PDF of more than 20 MB; its page shows the first
 * page and one near the end, and reads by range only (no streaming, no read-ahead).
 */
export function pdfjsApp(): Promise<TestApp> {
  return prepareApp({
    name: 'pdfjs',
    expected: { pages: PDF_PAGES, first: 'This is page 1', late: 'This is page 290', bothDrawn: true },
    packages: ['pdfjs-dist'],
    sources: ['pdfjs.ts', 'make-pdf.ts', '../support/random.ts', 'pages/pdfjs.html'],
    build: async (dir) => {
      const parts = [
        'build/pdf.mjs',
        'build/pdf.worker.mjs',
        'web/pdf_viewer.mjs',
        'web/pdf_viewer.css',
        'web/images',
        'standard_fonts',
        'cmaps',
        'wasm',
        'iccs',
        'LICENSE',
        'package.json',
      ];
      await copyFromPackage('pdfjs-dist', parts, join(dir, 'pdfjs-dist'));
      await copyPage('pages/pdfjs.html', dir);
      await writeFile(join(dir, 'large.pdf'), makePdf({ pages: PDF_PAGES, imageSide: 280 }));
    },
  });
}
