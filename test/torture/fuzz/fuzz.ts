import { Worker } from 'node:worker_threads';
import { tortureTarget } from '../target.ts';
import type { WorkerTask } from './fuzz-in-worker.ts';
import type { FuzzReport } from './run-fuzz.ts';
import { fuzzTargets } from './targets.ts';

/** No progress for so long is a hang: 256 inputs take a tenth of a second. */
const hangMs = 30_000;
/** Of JavaScript objects in a thread; what is in array buffers is watched by itself. */
const maxHeapMb = 512;

export const fuzz = tortureTarget({
  summary: 'mutated inputs to every parser: no crash, no hang, no large arrays, no errors but our own',
  options: {
    runs: { default: 1_000_000, means: 'how many inputs each parser gets' },
    seed: { default: 1, means: 'of the mutations' },
    only: { default: 0, means: 'the number of one parser in the table; 0: all' },
  },
  async run({ runs, seed, only }) {
    let right = true;
    console.log(
      '  # parser                            inputs   seconds  µs each  ways  slowest  largest array',
    );
    for (const [index, { name }] of fuzzTargets.entries()) {
      if (only !== 0 && only !== index + 1) continue;
      const number = String(index + 1).padStart(3);
      const report = await inWorker(index, runs, seed);
      if (typeof report === 'string') {
        right = false;
        console.log(`${number} ${name}: ${report}; again: --only ${index + 1} --seed ${seed}`);
        continue;
      }
      console.log(`${number} ${lineOf(report)}`);
      for (const { run, what, input } of report.finds) {
        right = false;
        console.log(`    input ${run} of seed ${seed}: ${what}\n    ${input.slice(0, 4000)}`);
      }
    }
    return right;
  },
});

function lineOf({ target, runs, ms, outcomes, slowestMs, largestArray }: FuzzReport): string {
  return [
    target.padEnd(30),
    String(runs).padStart(9),
    (ms / 1000).toFixed(1).padStart(9),
    ((ms * 1000) / Math.max(runs, 1)).toFixed(1).padStart(8),
    String(outcomes).padStart(5),
    `${slowestMs.toFixed(1)} ms`.padStart(8),
    `${(largestArray / 1024).toFixed(0)} KiB`.padStart(10),
  ].join(' ');
}

/** The report, or how the thread ended without one. */
function inWorker(index: number, runs: number, seed: number): Promise<FuzzReport | string> {
  const progress = new SharedArrayBuffer(4);
  const workerData: WorkerTask = { index, runs, seed, progress };
  const worker = new Worker(new URL('test/torture/fuzz/fuzz-worker.mjs', `file://${process.cwd()}/`), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
  });
  return new Promise((resolve) => {
    const at = new Int32Array(progress);
    let last = -1;
    const end = (result: FuzzReport | string): void => {
      clearInterval(watch);
      void worker.terminate();
      resolve(result);
    };
    const watch = setInterval(() => {
      const now = Atomics.load(at, 0);
      if (now === last && now > 0) end(`stands still between inputs ${now} and ${now + 256}`);
      last = now;
    }, hangMs);
    worker.once('message', end);
    worker.once('error', (error: unknown) => end(`ended after input ${Atomics.load(at, 0)}: ${error}`));
  });
}
