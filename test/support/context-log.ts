import type { BrowserContext, ConsoleMessage, Request, WebError } from '@playwright/test';

/** Collects what a browser complains about: uncaught errors, console lines, requests that failed. */
export class ContextLog {
  /** Uncaught errors and unhandled rejections of pages. */
  readonly errors: string[] = [];
  /** `type: text` of every console line of pages and their workers. */
  readonly console: string[] = [];
  /** `METHOD url reason`. Requests that a page aborted itself, or left behind by navigating, are here too. */
  readonly failedRequests: string[] = [];

  /** From here on, until the function that it gives is called. */
  watch(context: BrowserContext): () => void {
    const onError = (error: WebError) => this.errors.push(error.error().stack ?? String(error.error()));
    const onConsole = (message: ConsoleMessage) => this.console.push(`${message.type()}: ${message.text()}`);
    const onFailed = (request: Request) =>
      this.failedRequests.push(`${request.method()} ${request.url()} ${request.failure()?.errorText}`);
    context.on('weberror', onError);
    context.on('console', onConsole);
    context.on('requestfailed', onFailed);
    return () => {
      context.off('weberror', onError);
      context.off('console', onConsole);
      context.off('requestfailed', onFailed);
    };
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
