import type { BrowserContext } from '@playwright/test';

/** Collects what a browser complains about: uncaught errors, console lines, requests that failed. */
export class ContextLog {
  /** Uncaught errors and unhandled rejections of pages. */
  readonly errors: string[] = [];
  /** `type: text` of every console line of pages and their workers. */
  readonly console: string[] = [];
  /** `METHOD url reason`. Requests that a page aborted itself, or left behind by navigating, are here too. */
  readonly failedRequests: string[] = [];

  watch(context: BrowserContext): void {
    context.on('weberror', (error) => this.errors.push(error.error().stack ?? String(error.error())));
    context.on('console', (message) => this.console.push(`${message.type()}: ${message.text()}`));
    context.on('requestfailed', (request) => {
      this.failedRequests.push(`${request.method()} ${request.url()} ${request.failure()?.errorText}`);
    });
  }

  /** All of it as text, for a failed test's attachment. */
  toString(): string {
    const part = (title: string, lines: string[]) => `${title} (${lines.length})\n${lines.join('\n')}\n`;
    return [
      part('errors', this.errors),
      part('console', this.console),
      part('failed requests', this.failedRequests),
    ].join('\n');
  }
}
