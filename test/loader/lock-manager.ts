type Callback = (lock: null) => unknown;
interface Options {
  readonly mode?: 'exclusive' | 'shared';
  readonly signal?: AbortSignal;
}

interface Request {
  readonly client: string;
  readonly exclusive: boolean;
  readonly run: () => Promise<void>;
}

/**
 * Web Locks for tests in Node, which has none before version 24: queues by name, exclusive and shared, with signals. All holders
 * live in one process, so a "death" is a holder whose callback is made to end.
 */
export class LockManagerForTests {
  readonly #held = new Map<string, Set<Request>>();
  readonly #queues = new Map<string, Request[]>();

  /** As the worker of this name sees it. */
  of(client: string): Pick<LockManager, 'request' | 'query'> {
    const request = (name: string, options: Options | Callback, maybe?: Callback) =>
      this.request(name, options, maybe, client);
    return { request, query: () => this.query() } as unknown as LockManager;
  }

  async query(): Promise<LockManagerSnapshot> {
    const infos = (requests: Map<string, Iterable<Request>>): LockInfo[] =>
      [...requests].flatMap(([name, of]) =>
        Array.from(of, ({ client: clientId, exclusive }) => ({
          name,
          clientId,
          mode: exclusive ? 'exclusive' : 'shared',
        })),
      );
    return { held: infos(this.#held), pending: infos(this.#queues) };
  }

  request(
    name: string,
    optionsOrCallback: Options | Callback,
    maybe?: Callback,
    client = 'test',
  ): Promise<unknown> {
    const options = typeof optionsOrCallback === 'function' ? {} : optionsOrCallback;
    const callback = (typeof optionsOrCallback === 'function' ? optionsOrCallback : maybe)!;
    const { mode = 'exclusive', signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const request: Request = {
        client,
        exclusive: mode === 'exclusive',
        run: async () => {
          signal?.removeEventListener('abort', onAbort);
          try {
            resolve(await callback(null));
          } catch (error) {
            reject(error);
          }
        },
      };
      const queue = this.#queues.get(name) ?? [];
      const onAbort = (): void => {
        if (!queue.includes(request)) return;
        queue.splice(queue.indexOf(request), 1);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      queue.push(request);
      this.#queues.set(name, queue);
      queueMicrotask(() => this.#grant(name));
    });
  }

  isHeld(name: string): boolean {
    return (this.#held.get(name)?.size ?? 0) > 0;
  }

  #grant(name: string): void {
    const queue = this.#queues.get(name) ?? [];
    const held = this.#held.get(name) ?? new Set<Request>();
    this.#held.set(name, held);
    while (queue.length > 0) {
      const [next] = queue as [Request];
      const free = held.size === 0 || (!next.exclusive && [...held].every((one) => !one.exclusive));
      if (!free) return;
      queue.shift();
      held.add(next);
      void next.run().finally(() => {
        held.delete(next);
        this.#grant(name);
      });
    }
  }
}
