/** So long may a command take, unless it says otherwise; pages get less for their scripts. */
const commandMs = 120_000;

/** The W3C WebDriver protocol's element of a JSON answer that tells of an error. */
interface Failure {
  readonly error: string;
  readonly message: string;
}

/**
 * One browser with one or more windows, driven by the W3C WebDriver protocol: as little of it as tests need. Every command has a deadline; one that the
 * driver refuses throws an Error with its words.
 */
export class WebDriver {
  readonly #base: string;

  private constructor(base: string) {
    this.#base = base;
  }

  /** A new browser. `capabilities` go to `alwaysMatch`. */
  static async begin(driverUrl: string, capabilities: object): Promise<WebDriver> {
    const body = { capabilities: { alwaysMatch: capabilities } };
    const { sessionId } = await send<{ sessionId: string }>('POST', `${driverUrl}/session`, body);
    return new WebDriver(`${driverUrl}/session/${sessionId}`);
  }

  /** Resolves when the page is loaded. */
  async goto(url: string): Promise<void> {
    await this.#post('url', { url });
  }

  async reload(): Promise<void> {
    await this.#post('refresh', {});
  }

  /** What `work` comes to in the window's page; promises are waited for, 30 s at most. Argument and result go as JSON. Throws what it throws, as words. */
  async evaluate<Argument, Result>(
    work: (argument: Argument) => Result | Promise<Result>,
    argument?: Argument,
  ): Promise<Result> {
    const script = `const [argument, done] = arguments;
      Promise.resolve(argument).then(${work}).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    const { value, error } = await this.#post<{ value?: Result; error?: string }>('execute/async', {
      script,
      args: [argument ?? null],
    });
    if (error !== undefined) throw new Error(error);
    return value as Result;
  }

  /** Opens another window and turns to it. Answers how to turn back. */
  async open(): Promise<{ readonly back: () => Promise<void> }> {
    const before = await send<string>('GET', `${this.#base}/window`);
    const { handle } = await this.#post<{ handle: string }>('window/new', { type: 'window' });
    await this.#post('window', { handle });
    return { back: async () => void (await this.#post('window', { handle: before })) };
  }

  /** Closes the window that was turned to; turn to another one then. */
  async closeWindow(): Promise<void> {
    await send('DELETE', `${this.#base}/window`);
  }

  async end(): Promise<void> {
    await send('DELETE', this.#base);
  }

  #post<T>(command: string, body: object): Promise<T> {
    return send<T>('POST', `${this.#base}/${command}`, body);
  }
}

async function send<T>(method: string, url: string, body?: object): Promise<T> {
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(commandMs),
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const { value } = (await response.json()) as { value: T | Failure };
  if (response.ok) return value as T;
  const { error, message } = value as Failure;
  throw new Error(`${method} ${new URL(url).pathname}: ${error}: ${message}`);
}
