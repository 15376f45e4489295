import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly command: string;
}

/**
 * SIGKILLs every process whose command line contains `marker`, all their process groups and all their descendants,
 * and resolves when none is left, with whether there was any. Several passes, because a dying tree may still fork. Linux only: it reads /proc.
 *
 * The marker must be unique to what is to die (a temporary directory's path), and never match this process.
 */
export async function killTree(marker: string, timeoutMs = 60_000): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  const doomed = new Set<number>();
  for (;;) {
    const alive = await treeOf(marker, doomed);
    if (alive.length === 0) return doomed.size > 0;
    if (performance.now() > deadline) throw new Error(`still running after SIGKILL: ${alive.join(', ')}`);
    for (const pid of alive) kill(pid);
    await sleep(5);
  }
}

/** The ids of the processes that {@link killTree} would kill. */
export function processTree(marker: string): Promise<number[]> {
  return treeOf(marker, new Set());
}

/** Those of them that live, and of `found`, to which they are added. */
async function treeOf(marker: string, found: Set<number>): Promise<number[]> {
  const processes = await listProcesses();
  const own = processes.find((process) => process.pid === globalThis.process.pid);
  const groups = new Set<number>();
  for (const { pid, group, command } of processes) {
    if (!command.includes(marker) || pid === globalThis.process.pid) continue;
    found.add(pid);
    if (group !== own?.group) groups.add(group);
  }
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const { pid, parent, group } of processes) {
      if (found.has(parent) || groups.has(group)) found.add(pid);
    }
  }
  return processes.filter(({ pid }) => found.has(pid)).map(({ pid }) => pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // It has gone by itself.
  }
}

/** Every live process; zombies, which only wait for their parent to look, are left out. */
async function listProcesses(): Promise<ProcessInfo[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found: ProcessInfo[] = [];
  for (const pid of pids) {
    try {
      const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
      // "pid (name) state parent group …", and the name may contain anything.
      const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z' || state === 'X') continue;
      const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
      found.push({ pid: Number(pid), parent: Number(parent), group: Number(group), command });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'ENOENT' && code !== 'ESRCH') throw error; // It ended while we looked.
    }
  }
  return found;
}
