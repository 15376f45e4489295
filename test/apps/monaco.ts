import { join } from 'node:path';
import { copyFromPackage, copyPage, prepareApp, type TestApp } from './test-app.ts';

/**
 * The editor of VS Code, the npm package's own prebuilt files; its page types TypeScript into an editor and asks the
 * TypeScript worker what is wrong with it, and the JSON worker too.
 */
export function monacoApp(): Promise<TestApp> {
  return prepareApp({
    name: 'monaco',
    expected: {
      text: "const answer: number = 'forty-two';",
      typescript: ["Type 'string' is not assignable to type 'number'."],
      json: ['Expected comma'],
    },
    packages: ['monaco-editor'],
    sources: ['monaco.ts', 'pages/monaco.html'],
    build: async (dir) => {
      await copyFromPackage('monaco-editor', ['min', 'LICENSE', 'package.json'], join(dir, 'monaco-editor'));
      await copyPage('pages/monaco.html', dir);
    },
  });
}

/** The same editor, and no more than what a user waits for: that what is typed shows, in colours. For benchmarks. */
export function monacoTypingApp(): Promise<TestApp> {
  return prepareApp({
    name: 'monaco-typing',
    expected: { shown: "const answer: number = 'forty-two';", coloured: true },
    packages: ['monaco-editor'],
    sources: ['monaco.ts', 'pages/monaco-typing.html'],
    build: async (dir) => {
      await copyFromPackage('monaco-editor', ['min', 'LICENSE', 'package.json'], join(dir, 'monaco-editor'));
      await copyPage('pages/monaco-typing.html', dir);
    },
  });
}
