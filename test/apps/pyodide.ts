import { join } from 'node:path';
import { copyFromPackage, copyPage, prepareApp, type TestApp } from './test-app.ts';

/** Python in WebAssembly, the npm package as published; its page runs a program that prints. */
export function pyodideApp(): Promise<TestApp> {
  return prepareApp({
    name: 'pyodide',
    expected: { printed: ['12th Fibonacci number: 144', '{"a": [1, 2.5]}'] },
    packages: ['pyodide'],
    sources: ['pyodide.ts', 'pages/pyodide.html'],
    build: async (dir) => {
      await copyFromPackage('pyodide', ['.'], join(dir, 'pyodide'));
      await copyPage('pages/pyodide.html', dir);
    },
  });
}
