import { mock } from 'node:test';
import { expect, test } from '@playwright/test';
import { openOpfsDirectory } from '../../src/store/opfs-directory.ts';

/** Storage that has stopped to answer. A browser cannot be made to do this, so it stands in for one. */
class HangingStorage {
  readonly closed: string[] = [];
  /** Answers, too late, what was asked for. */
  readonly late: (() => void)[] = [];

  readonly getDirectory = async () => this.#folder();

  #folder() {
    return {
      getDirectoryHandle: async () => this.#folder(),
      getFileHandle: async (name: string) => ({
        createSyncAccessHandle: () => this.#hang({ close: () => this.closed.push(name) }),
        getFile: () => this.#hang(new Blob()),
      }),
      removeEntry: () => this.#hang(undefined),
      values: async function* (this: void) {
        await new Promise(() => {});
        yield { kind: 'file', name: 'never' };
      },
    };
  }

  #hang<T>(value: T): Promise<T> {
    return new Promise((resolve) => {
      this.late.push(() => resolve(value));
    });
  }
}

test('a platform that does not answer ends every wait, and what comes late is let go of', async () => {
  const storage = new HangingStorage();
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { storage } });
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const directory = (await openOpfsDirectory('sluice/test'))!;
    const outcomes = Promise.allSettled([
      directory.open('a', { create: true }),
      directory.snapshot('a'),
      directory.list('blobs'),
      directory.remove('a'),
    ]);
    await new Promise((resolve) => setImmediate(resolve));
    mock.timers.tick(60_000);
    const codes = (await outcomes).map((outcome) =>
      outcome.status === 'rejected' ? outcome.reason.code : 'it answered',
    );
    expect(codes).toEqual(['unreadable', 'unreadable', 'unreadable', 'unreadable']);
    for (const answer of storage.late) answer();
    await new Promise((resolve) => setImmediate(resolve));
    expect(storage.closed).toEqual(['a']);
  } finally {
    mock.timers.reset();
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else Reflect.deleteProperty(globalThis, 'navigator');
  }
});
