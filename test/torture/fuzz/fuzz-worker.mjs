// One target in a thread of its own, so that the main one can see that it stands still. Vite runs the TypeScript.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { runnerImport } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));
const { module } = await runnerImport(join(here, 'fuzz-in-worker.ts'), {
  configFile: false,
  root: join(here, '../../..'),
  logLevel: 'warn',
  oxc: { target: 'node20' },
});
parentPort.postMessage(await module.fuzzInWorker(workerData));
