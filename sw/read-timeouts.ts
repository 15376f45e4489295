import { get, set } from 'idb-keyval';
import { withDeadline } from '../src/protocol/deadline.ts';
import { releaseSettingName } from '../src/protocol/messages.ts';
import { settingsStore } from '../src/protocol/settings-store.ts';
import { idbDeadlineMs } from './releases.ts';

/** A reader's deadline where its page set no other. */
const defaultMs = 30_000;
/** Clients of which a setting is kept; the oldest are forgotten. */
const maxClients = 100;

/**
 * How long the reads of each client may wait, in ms. A setting other than the default is kept in IndexedDB: a page reads on before it
 * hears that this worker was restarted.
 */
export class ReadTimeouts {
  readonly #name: string;
  #byClient = new Map<string, number>();
  #loading: Promise<void> | undefined;

  constructor(scope: string) {
    this.#name = `${releaseSettingName(scope)}:read-timeouts`;
  }

  /** What was known before this worker was restarted. */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Those that were answered, or have spoken, lately. */
  get clients(): string[] {
    return [...this.#byClient.keys()];
  }

  of(clientId: string): number {
    return this.#byClient.get(clientId) ?? defaultMs;
  }

  /** Holds at once; resolves when it is kept. Pages repeat it with every port. */
  async set(clientId: string, ms: number): Promise<void> {
    if (clientId === '') return;
    const known = this.#byClient.get(clientId);
    this.#byClient.delete(clientId);
    this.#byClient.set(clientId, ms);
    await this.load();
    if (known === ms) return;
    for (const oldest of this.#byClient.keys()) {
      if (this.#byClient.size <= maxClients) break;
      this.#byClient.delete(oldest);
    }
    try {
      await withDeadline('IndexedDB', set(this.#name, [...this.#byClient], settingsStore), idbDeadlineMs);
    } catch (error) {
      console.warn('sluice: readTimeoutMs is not kept', error);
    }
  }

  async #load(): Promise<void> {
    try {
      const kept = await withDeadline(
        'IndexedDB',
        get<[string, number][]>(this.#name, settingsStore),
        idbDeadlineMs,
      );
      // What pages said in the meantime is newer.
      this.#byClient = new Map([...(kept ?? []), ...this.#byClient]);
    } catch (error) {
      console.warn('sluice: readTimeoutMs could not be read', error);
    }
  }
}
