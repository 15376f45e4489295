import type { InspectedError } from '../../protocol/inspection.ts';

const capacity = 256;

/** The last errors that were met, oldest first. */
export class ErrorLog {
  #errors: InspectedError[] = [];
  #last = 0;

  /** The serial of the last one; 0 = none yet. */
  get last(): number {
    return this.#last;
  }

  add(error: Omit<InspectedError, 'serial'>): void {
    this.#last += 1;
    this.#errors.push({ serial: this.#last, ...error });
    if (this.#errors.length > capacity) this.#errors.shift();
  }

  /** Those with serials above `serial`. */
  after(serial: number): readonly InspectedError[] {
    return this.#errors.filter((error) => error.serial > serial);
  }
}
