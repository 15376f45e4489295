import { formatBytes, formatCount, formatRate, percent } from '../format/quantity.ts';
import type { OnProgress, PackProgress } from '../pack/progress.ts';

interface Output {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const terminalMs = 100;
const logMs = 5000;

const verbs = { walk: 'looking', pack: 'packing', check: 'checking', extract: 'extracting' } as const;

/** Shows progress: one line that is written over on a terminal, now and then a line elsewhere. */
export class ProgressLine {
  readonly #output: Output;
  readonly #now: () => number;
  #phase: PackProgress['phase'] | undefined;
  #phaseStart = 0;
  #shownAt: number;
  #visible = false;

  constructor(output: Output, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
    this.#shownAt = now();
  }

  readonly show: OnProgress = (progress) => {
    const now = this.#now();
    if (progress.phase !== this.#phase) {
      this.#phase = progress.phase;
      this.#phaseStart = now;
    }
    if (now - this.#shownAt < (this.#output.isTTY ? terminalMs : logMs)) return;
    this.#shownAt = now;
    const line = progressText(progress, now - this.#phaseStart);
    if (this.#output.isTTY) {
      // Cut to the width, since a line that wraps cannot be written over.
      this.#output.write(`\r\x1b[2K${line.slice(0, (this.#output.columns ?? 80) - 1)}`);
      this.#visible = true;
    } else {
      this.#output.write(`${line}\n`);
    }
  };

  /** Takes the line away. */
  clear(): void {
    if (this.#visible) this.#output.write('\r\x1b[2K');
    this.#visible = false;
  }
}

/** One line; `elapsedMs` is that of the phase. */
export function progressText(progress: PackProgress, elapsedMs: number): string {
  const { phase, files, totalFiles, bytes, totalBytes, storedBytes } = progress;
  const parts = [`${verbs[phase]}`];
  if (totalBytes > 0) parts.push(`${percent(bytes, totalBytes)} %`);
  if (totalFiles > 0) parts.push(`${formatCount(files)} of ${formatCount(totalFiles)} files`);
  else if (files > 0) parts.push(`${formatCount(files)} files`);
  if (totalBytes > 0) parts.push(`${formatBytes(bytes)} of ${formatBytes(totalBytes)}`);
  if (storedBytes > 0) parts.push(`${formatBytes(storedBytes)} stored`);
  if (bytes > 0 && elapsedMs > 0) parts.push(formatRate((bytes * 1000) / elapsedMs));
  return parts.join('  ');
}
