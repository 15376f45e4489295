import { assembleDemo } from '../scripts/demo-app.mjs';
import { modulesApp } from '../test/apps/modules.ts';
import { monacoTypingApp } from '../test/apps/monaco.ts';
import { onnxApp } from '../test/apps/onnx.ts';
import { pdfjsApp } from '../test/apps/pdfjs.ts';
import { pyodideApp } from '../test/apps/pyodide.ts';
import type { TestApp } from '../test/apps/test-app.ts';

const makers = {
  /** Its result is a time, so nothing is expected of it. */
  demo: async (): Promise<TestApp> => ({ name: 'demo', dir: assembleDemo(), entry: '', expected: undefined }),
  pyodide: pyodideApp,
  monaco: monacoTypingApp,
  onnx: onnxApp,
  modules: modulesApp,
  pdfjs: pdfjsApp,
};

export type AppName = keyof typeof makers;

export const appNames = Object.keys(makers) as AppName[];

/** The app as a plain directory; made when it is not there yet. */
export function makeApp(name: AppName): Promise<TestApp> {
  return makers[name]();
}
