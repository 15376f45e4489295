import { assembleDemo } from '../scripts/demo-app.mjs';
import { modulesApp } from '../test/apps/modules.ts';
import { monacoTypingApp } from '../test/apps/monaco.ts';
import { onnxApp } from '../test/apps/onnx.ts';
import { pdfjsApp } from '../test/apps/pdfjs.ts';
import { pyodideApp } from '../test/apps/pyodide.ts';
import type { TestApp } from '../test/apps/test-app.ts';

interface BenchApp {
  /** What it is, and when it counts as ready. */
  readonly title: string;
  /** Answers the app as a plain directory; makes it when it is not there yet. */
  readonly make: () => Promise<TestApp>;
}

export const apps = {
  demo: {
    title: 'globe (the cesium package, 70 MB): first view drawn',
    // Its result is a time, so nothing is expected of it.
    make: async () => ({ name: 'demo', dir: assembleDemo(), entry: '', expected: undefined }),
  },
  pyodide: { title: 'Pyodide: a Python script has run', make: pyodideApp },
  monaco: { title: 'Monaco editor: ready to type, in colours', make: monacoTypingApp },
  onnx: { title: 'ONNX Runtime, 14 MB of wasm: a model has run', make: onnxApp },
  modules: { title: "820 unbundled modules of Cesium's engine: globe drawn", make: modulesApp },
  pdfjs: { title: 'pdf.js, a PDF of 23 MB by ranges: pages 1 and 290 drawn', make: pdfjsApp },
} as const satisfies Record<string, BenchApp>;

export type AppName = keyof typeof apps;

export const appNames = Object.keys(apps) as AppName[];
