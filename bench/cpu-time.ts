import { readdir, readFile } from 'node:fs/promises';

/** Linux counts processor time in hundredths of a second, whatever the kernel's own tick. */
const ticksPerSecond = 100;

/**
 * Processor time, in ms, of the live processes whose command line contains `marker` (a browser's profile directory: all of its processes
 * have it, or descend from one that has). Undefined where there is no /proc.
 */
export async function cpuTimeMs(marker: string): Promise<number | undefined> {
  let pids: string[];
  try {
    pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const processes = new Map<string, { parent: string; ticks: number; marked: boolean }>();
  await Promise.all(
    pids.map(async (pid) => {
      try {
        const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
        // "pid (name) state parent …" with user and system time as fields 14 and 15; the name may contain anything.
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const command = await readFile(`/proc/${pid}/cmdline`, 'latin1');
        const ticks = Number(fields[11]) + Number(fields[12]);
        processes.set(pid, { parent: fields[1]!, ticks, marked: command.includes(marker) });
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code !== 'ENOENT' && code !== 'ESRCH') throw error; // It ended while we looked.
      }
    }),
  );
  let ticks = 0;
  for (const process of processes.values()) {
    let ancestor: typeof process | undefined = process;
    while (ancestor && !ancestor.marked) ancestor = processes.get(ancestor.parent);
    if (ancestor) ticks += process.ticks;
  }
  return (ticks / ticksPerSecond) * 1000;
}
