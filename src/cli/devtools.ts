import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { SluiceError } from '../format/errors.ts';

/** A browser that has answered nothing in this time never will. */
const longestCallMs = 30_000;
const endMs = 5000;

const switches = [
  '--headless=new',
  '--remote-debugging-pipe',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  // WebGL without a graphics card: it is the reads that matter.
  '--enable-unsafe-swiftshader',
];

interface Call {
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** A browser of our own without a window, and its DevTools protocol over a pipe: messages of JSON, each ended by a NUL. */
export class Devtools {
  readonly #process: ChildProcess;
  readonly #calls = new Map<number, Call>();
  readonly #ended: Promise<void>;
  #death: SluiceError | undefined;
  #lastId = 0;
  #rest = '';

  /** Starts `executable` with a profile of its own below `profileDir`. */
  constructor(executable: string, profileDir: string) {
    const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    this.#process = spawn(
      executable,
      [...switches, ...asRoot, `--user-data-dir=${profileDir}`, 'about:blank'],
      {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
        // On POSIX a process group, so that its helpers end with it.
        detached: process.platform !== 'win32',
      },
    );
    this.#ended = new Promise((resolve) => {
      const end = (why: string): void => {
        this.#death ??= new SluiceError('disconnected', `The browser ${executable} ended: ${why}`);
        for (const id of [...this.#calls.keys()]) this.#settle(id)?.reject(this.#death);
        resolve();
      };
      this.#process.on('error', (error) => end(error.message));
      this.#process.on('exit', (code, signal) => end(signal ?? `status ${code}`));
    });
    const output = this.#output;
    output.setEncoding('utf8');
    output.on('data', (text: string) => this.#hear(text));
    // A pipe that breaks is told by the end of the process.
    output.on('error', () => {});
    this.#input.on('error', () => {});
  }

  /**
   * Calls a method of the protocol, of the browser or of a session. Throws `disconnected`, `call-timeout` after `timeoutMs` or half a minute, or `unreadable`
   * with its answer.
   */
  async call<T>(
    method: string,
    params: object = {},
    sessionId?: string,
    timeoutMs = longestCallMs,
  ): Promise<T> {
    if (this.#death) throw this.#death;
    this.#lastId += 1;
    const id = this.#lastId;
    const result = new Promise<unknown>((resolve, reject) => {
      const ms = Math.min(timeoutMs, longestCallMs);
      const late = new SluiceError(
        'call-timeout',
        `The browser did not answer ${method} in ${Math.ceil(ms / 1000)} s`,
      );
      const timer = setTimeout(() => this.#settle(id)?.reject(late), ms);
      this.#calls.set(id, { resolve, reject, timer });
    });
    this.#input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return (await result) as T;
  }

  /** Ends the browser, if need be by force. */
  async close(): Promise<void> {
    this.call('Browser.close').catch(() => {}); // It may be gone already, or not answer any more.
    const timer = setTimeout(() => this.#kill(), endMs);
    await this.#ended;
    clearTimeout(timer);
  }

  get #input(): Writable {
    return this.#process.stdio[3] as Writable;
  }

  get #output(): Readable {
    return this.#process.stdio[4] as Readable;
  }

  #hear(text: string): void {
    const messages = (this.#rest + text).split('\0');
    this.#rest = messages.pop()!;
    for (const message of messages) {
      const { id, result, error } = JSON.parse(message);
      const call = this.#settle(id);
      if (error) call?.reject(new SluiceError('unreadable', `The browser says: ${error.message}`));
      else call?.resolve(result);
    }
  }

  #settle(id: number): Call | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    clearTimeout(call?.timer);
    return call;
  }

  #kill(): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
