import { type FuzzReport, runFuzz } from './run-fuzz.ts';
import { fuzzTargets } from './targets.ts';

export interface WorkerTask {
  readonly index: number;
  readonly runs: number;
  readonly seed: number;
  /** One Int32: the input that is being tried, or one of those shortly behind it. */
  readonly progress: SharedArrayBuffer;
}

export function fuzzInWorker({ index, runs, seed, progress }: WorkerTask): Promise<FuzzReport> {
  const at = new Int32Array(progress);
  const onProgress = (run: number): void => void Atomics.store(at, 0, run);
  return runFuzz(fuzzTargets[index]!, { runs, seed, onProgress });
}
