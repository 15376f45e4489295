import type { FullConfig, Reporter, Suite } from '@playwright/test/reporter';

/**
 * Prints `N passed, N failed` (and `, N skipped` when there are any) as the very last line of standard output.
 *
 * Counted without mercy: a test that timed out, and one that should have run but was never started (its file did not load, the run was
 * interrupted) are failures. Playwright's default summary has separate words for these, which a program that reads one line would miss. A test that
 * was right at a second try (only CI gives one) has passed, and is named, for it has to be mended.
 */
class SummaryReporter implements Reporter {
  #suite: Suite | undefined;
  #errorsOutsideTests = 0;

  onBegin(_config: FullConfig, suite: Suite): void {
    this.#suite = suite;
  }

  onError(): void {
    this.#errorsOutsideTests += 1;
  }

  printsToStdio(): boolean {
    return false; // Another reporter prints the progress; this one adds a line.
  }

  async onExit(): Promise<void> {
    let passed = 0;
    let failed = this.#errorsOutsideTests;
    let skipped = 0;
    let lines = '';
    for (const test of this.#suite?.allTests() ?? []) {
      const outcome = test.outcome();
      if (outcome === 'expected' || outcome === 'flaky') passed += 1;
      else if (outcome === 'skipped' && test.expectedStatus === 'skipped') skipped += 1;
      else failed += 1;
      if (outcome === 'flaky')
        lines += `not right at its first try: ${test.titlePath().slice(1).join(' › ')}\n`;
    }
    lines += `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
    await new Promise((resolve) => process.stdout.write(lines, resolve));
  }
}

// The one default export of the project: Playwright loads a reporter by its module's default.
export default SummaryReporter;
