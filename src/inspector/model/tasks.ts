/** Work of the panel that takes its time. */
export interface Task {
  readonly id: number;
  readonly title: string;
  /** In a unit of its own; undefined: how much there is to do is not known. */
  readonly progress: { readonly done: number; readonly of: number } | undefined;
  /** It ends soon, with an AbortError. */
  cancel(): void;
}

/** What a task came to. */
export interface TaskResult {
  readonly id: number;
  readonly title: string;
  /** In Unix ms. */
  readonly at: number;
  readonly kind: 'info' | 'good' | 'bad';
  readonly text: string;
  readonly findings: readonly Finding[];
}

/** Something that a check has found. */
export interface Finding {
  readonly where: string;
  readonly message: string;
  /** Whose bytes it hurts. */
  readonly paths: readonly string[];
}

export interface Outcome {
  readonly kind: TaskResult['kind'];
  readonly text: string;
  readonly findings?: readonly Finding[];
}

export interface TaskControl {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, of: number) => void;
}

const keptResults = 20;

/** The tasks that run, and what the last ones came to. */
export class Tasks {
  #next = 1;
  #running: readonly Task[] = [];
  #results: readonly TaskResult[] = [];
  readonly #watchers = new Set<() => void>();

  get running(): readonly Task[] {
    return this.#running;
  }

  /** Newest first. */
  get results(): readonly TaskResult[] {
    return this.#results;
  }

  /** Calls whenever something has changed, until the answer is called. */
  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }

  /** Resolves with what it came to; `work` should not reject: `explain` makes an outcome of an error. */
  async run(
    title: string,
    work: (control: TaskControl) => Promise<Outcome>,
    explain: (error: unknown) => Outcome,
  ): Promise<TaskResult> {
    const id = this.#next++;
    const abort = new AbortController();
    const show = (progress: Task['progress']): void => {
      const task: Task = { id, title, progress, cancel: () => abort.abort() };
      const others = this.#running.filter((other) => other.id !== id);
      this.#running = [...others, task].sort((a, b) => a.id - b.id);
      this.#tell();
    };
    show(undefined);
    const control = {
      signal: abort.signal,
      onProgress: (done: number, of: number) => show({ done, of }),
    };
    let outcome: Outcome;
    try {
      outcome = await work(control);
    } catch (error) {
      outcome = abort.signal.aborted
        ? { kind: 'info', text: 'Cancelled; what was done before stays done.' }
        : explain(error);
    }
    const result: TaskResult = { findings: [], ...outcome, id, title, at: Date.now() };
    this.#running = this.#running.filter((task) => task.id !== id);
    this.#results = [result, ...this.#results].slice(0, keptResults);
    this.#tell();
    return result;
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
