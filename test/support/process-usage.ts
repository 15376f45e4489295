import { readdir, readFile } from 'node:fs/promises';
import { processTree } from './process-tree.ts';

/** What a tree of processes holds of the system. */
export interface ProcessUsage {
  readonly processes: number;
  /** Memory, in bytes; what several processes share is counted in shares. */
  readonly memory: number;
  /** Open files, sockets and pipes. */
  readonly handles: number;
  readonly threads: number;
}

/** Of every process whose command line contains `marker`, and their descendants. Linux only: it reads /proc. */
export async function processUsage(marker: string): Promise<ProcessUsage> {
  let [memory, handles, threads] = [0, 0, 0];
  const pids = await processTree(marker);
  for (const pid of pids) {
    try {
      memory += 1024 * numberAfter(await readFile(`/proc/${pid}/smaps_rollup`, 'latin1'), 'Pss:');
      threads += numberAfter(await readFile(`/proc/${pid}/status`, 'latin1'), 'Threads:');
      handles += (await readdir(`/proc/${pid}/fd`)).length;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'ENOENT' && code !== 'ESRCH') throw error; // It ended while we looked.
    }
  }
  return { processes: pids.length, memory, handles, threads };
}

function numberAfter(text: string, label: string): number {
  return Number(new RegExp(`^${label}\\s*(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}
