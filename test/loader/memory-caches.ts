/** What a loader uses of Cache Storage, in memory. An entry appears when its body has come whole, as there. */
export class MemoryCaches {
  readonly caches = new Map<string, Map<string, Response>>();
  /** Waited for before an entry is stored. */
  onPut: (url: string) => unknown = () => {};

  async has(name: string): Promise<boolean> {
    return this.caches.has(name);
  }

  async delete(name: string): Promise<boolean> {
    return this.caches.delete(name);
  }

  async open(name: string): Promise<Cache> {
    const entries = this.caches.get(name) ?? new Map<string, Response>();
    this.caches.set(name, entries);
    const used: Pick<Cache, 'match' | 'delete' | 'keys' | 'put'> = {
      match: async (url) => entries.get(String(url))?.clone(),
      delete: async (url) => entries.delete(String(url)),
      keys: async () => [...entries.keys()].map((url) => new Request(url)),
      put: async (url, response) => {
        await this.onPut(String(url));
        const body = await response.arrayBuffer();
        entries.set(String(url), new Response(body, { headers: response.headers }));
      },
    };
    return used as Cache;
  }
}
