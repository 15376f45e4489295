/** So many files are watched at once: those that were read last. */
const filesWatched = 16;

interface Run {
  /** `[begin, end)`: the blocks that were read in order so far. */
  begin: number;
  end: number;
  /** What was told to be read ahead ends here. */
  ahead: number;
}

/**
 * Who reads a file in order, told from the misses alone, as the readahead of Linux is. Two misses in a row begin it: then as much is read ahead as was
 * read in order, so it doubles with each round, and never more is brought in vain than was of use. What was read ahead and is here when its reader comes is
 * no miss; whoever comes to its end, or before that finds it still on its way, has read on. Blocks are numbered within the file; random misses amplify nothing.
 */
export class SequentialReads {
  /** By file; the one read last is the last. */
  readonly #runs = new Map<string, Run>();

  /**
   * Blocks `[first, end)` of the file are missing, and were asked for in one go. Answers the end of what is to be read ahead behind them, by
   * `mostBlocks` at most; `end` itself: nothing.
   */
  missed(file: string, first: number, end: number, mostBlocks: number): number {
    const known = this.#runs.get(file);
    const goesOn = known !== undefined && first >= known.begin && first <= known.ahead && end > known.end;
    // Somebody who asks again for what is on its way.
    if (known && first >= known.begin && end <= known.end) return known.ahead;
    const run = goesOn ? known : { begin: first, end, ahead: end };
    if (goesOn) {
      run.end = end;
      run.ahead = Math.max(run.ahead, end + Math.min(mostBlocks, end - run.begin));
    }
    this.#runs.delete(file);
    this.#runs.set(file, run);
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > filesWatched && oldest !== undefined) this.#runs.delete(oldest);
    return run.ahead;
  }
}
