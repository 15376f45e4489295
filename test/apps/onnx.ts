import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeOnnxModel } from './make-onnx-model.ts';
import { copyFromPackage, copyPage, prepareApp, type TestApp } from './test-app.ts';

/**
 * onnxruntime in 14 MB of WebAssembly, compiled while it streams in; its page runs a small model:
 * [1 2 3] × [[1 2] [3 4] [5 6]] + [0.5 -0.5].
 */
export function onnxApp(): Promise<TestApp> {
  return prepareApp({
    name: 'onnx',
    expected: { output: [22.5, 27.5], streamed: 1 },
    packages: ['onnxruntime-web'],
    sources: ['onnx.ts', 'make-onnx-model.ts', 'pages/onnx.html'],
    build: async (dir) => {
      const parts = [
        'dist/ort.wasm.min.mjs',
        'dist/ort-wasm-simd-threaded.mjs',
        'dist/ort-wasm-simd-threaded.wasm',
        'package.json',
      ];
      await copyFromPackage('onnxruntime-web', parts, join(dir, 'onnxruntime-web'));
      await copyPage('pages/onnx.html', dir);
      await writeFile(join(dir, 'model.onnx'), makeOnnxModel());
    },
  });
}
