import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { EncodedBlock } from '../codec/encode-block.ts';
import { blockEncoders } from './block-encoders.ts';
import type { CompressJob, CompressResult, CompressSetup } from './compress-messages.ts';

/** Encodes blocks, several at once where there are threads. What it makes of a block does not depend on their number. */
export interface CompressPool {
  /** How many blocks are worth handing over before waiting for the first. */
  readonly width: number;
  /** Takes the job's bytes over: they must not be used afterwards. */
  encode(job: CompressJob): Promise<EncodedBlock>;
  close(): Promise<void>;
}

/** Blocks that a thread has at hand, so that it does not wait for the next. */
const jobsPerThread = 3;

/** `threads` 0 encodes in this thread, as does a place where the threads' script is not there: sources that were not built. */
export async function compressPool(setup: CompressSetup, threads: number): Promise<CompressPool> {
  const script = threads === 0 ? undefined : workerScript();
  if (script === undefined) return inThisThread(setup);
  return new ThreadPool(Array.from({ length: threads }, () => new Thread(script, setup)));
}

/** Beside the bundle that this module ends up in. */
function workerScript(): URL | undefined {
  const script = new URL('./compress-worker.js', import.meta.url);
  return existsSync(fileURLToPath(script)) ? script : undefined;
}

async function inThisThread(setup: CompressSetup): Promise<CompressPool> {
  const encode = await blockEncoders(setup);
  return {
    width: 1,
    encode: async (job) => encode(job),
    close: async () => {},
  };
}

class ThreadPool implements CompressPool {
  readonly width: number;
  readonly #threads: readonly Thread[];

  constructor(threads: readonly Thread[]) {
    this.#threads = threads;
    this.width = threads.length * jobsPerThread;
  }

  encode(job: CompressJob): Promise<EncodedBlock> {
    const least = this.#threads.reduce((a, b) => (b.waiting < a.waiting ? b : a));
    return least.encode(job);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

interface Waiting {
  readonly resolve: (block: EncodedBlock) => void;
  readonly reject: (error: unknown) => void;
}

class Thread {
  readonly #worker: Worker;
  /** Oldest first: a thread answers in order. */
  readonly #waiting: Waiting[] = [];
  #failure: unknown;

  constructor(script: URL, setup: CompressSetup) {
    // Flags of the program that calls us, such as --input-type, may forbid a script.
    this.#worker = new Worker(script, { workerData: setup, execArgv: [] });
    this.#worker.on('message', (result: CompressResult) => this.#waiting.shift()?.resolve(result));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(new Error(`a compressing thread ended with code ${code}`)));
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  encode(job: CompressJob): Promise<EncodedBlock> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(job, [job.logical.buffer]);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
