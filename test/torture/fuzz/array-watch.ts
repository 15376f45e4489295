/** Every kind that takes a length. */
const kinds = ['Uint8Array', 'Uint16Array', 'Uint32Array', 'Float64Array', 'ArrayBuffer'] as const;

const arrayFrom = Array.from as (...args: readonly unknown[]) => unknown[];

/** Sees how large the arrays are that are made with a length, from when it begins until it is ended. */
export class ArrayWatch {
  /** Bytes (where Array.from made it: eight an element) of the largest one since it was last set to 0. */
  largest = 0;
  readonly #originals = new Map<string, unknown>();

  constructor() {
    const globals = globalThis as unknown as Record<string, new (...args: unknown[]) => object>;
    for (const kind of kinds) {
      const original = globals[kind]!;
      const bytesEach = (original as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
      this.#originals.set(kind, original);
      const watched: typeof original = new Proxy(original, {
        construct: (target, args: unknown[], newTarget) => {
          const [length] = args;
          if (typeof length === 'number') this.#see(length * bytesEach);
          return Reflect.construct(target, args, newTarget === watched ? target : newTarget);
        },
      });
      globals[kind] = watched;
    }
    Array.from = (...args: readonly unknown[]) => {
      const { length } = args[0] as { length?: unknown };
      if (typeof length === 'number') this.#see(length * 8);
      return arrayFrom.apply(Array, args as []);
    };
  }

  /** Also what is no number of bytes, and ends in an error. */
  #see(bytes: number): void {
    if (bytes > this.largest) this.largest = bytes;
  }

  end(): void {
    Array.from = arrayFrom as typeof Array.from;
    Object.assign(globalThis, Object.fromEntries(this.#originals));
  }
}
