/** When, by the loader's clock, which step was done for a block that a reader waited for. */
export interface WaitSteps {
  readonly sent: number;
  readonly answered: number;
  readonly arrived: number;
  readonly verified: number;
}

const capacity = 8192;

/** The steps of the last blocks that readers waited for, of each block the last time. */
export class WaitLog {
  /** By blob and block, oldest first. */
  readonly #steps = new Map<string, WaitSteps>();

  add(sha256: string, block: number, steps: WaitSteps): void {
    const key = `${sha256}/${block}`;
    this.#steps.delete(key);
    this.#steps.set(key, steps);
    if (this.#steps.size <= capacity) return;
    for (const oldest of this.#steps.keys()) {
      this.#steps.delete(oldest);
      break;
    }
  }

  get(sha256: string, block: number): WaitSteps | undefined {
    return this.#steps.get(`${sha256}/${block}`);
  }
}
