import type { BrowserContext, ConsoleMessage, Request, WebError } from '@playwright/test';

/** Firefox (153) of a service worker's answer whose body did not get to its end. The address is missing where the response was constructed. */
const unendedBody =
  /^Failed to load ‘.*’\. A ServiceWorker intercepted the request and encountered an unexpected error\./;
/** Why: its reader aborted, or cancelled the stream that it had. */
const givenUp = /^NS_(BINDING_ABORTED|BASE_STREAM_CLOSED)$/;
/** Or the worker's own stream failed. */
const brokenOff = /^NS_ERROR_FAILURE$/;

/** Collects what a browser complains about: uncaught errors, console lines, requests that failed. */
export class ContextLog {
  /** Uncaught errors and unhandled rejections of pages. */
  readonly errors: string[] = [];
  /** `type: text` of every console line of pages and their workers. */
  readonly console: string[] = [];
  /** `METHOD url reason`. Requests that a page aborted itself, or left behind by navigating, are here too. */
  readonly failedRequests: string[] = [];
  #givenUp = 0;
  #brokenOff = 0;

  /** From here on, until the function that it gives is called. */
  watch(context: BrowserContext): () => void {
    const onError = (error: WebError) => this.errors.push(error.error().stack ?? String(error.error()));
    const onConsole = (message: ConsoleMessage) => this.console.push(`${message.type()}: ${message.text()}`);
    const onFailed = (request: Request) => {
      const reason = request.failure()?.errorText ?? '';
      this.failedRequests.push(`${request.method()} ${request.url()} ${reason}`);
      if (givenUp.test(reason)) this.#givenUp++;
      if (brokenOff.test(reason)) this.#brokenOff++;
    };
    // Firefox calls what a player drops, when it seeks, finished.
    const onFinished = (request: Request) => {
      if (request.resourceType() === 'media') this.#givenUp++;
    };
    context.on('weberror', onError);
    context.on('console', onConsole);
    context.on('requestfailed', onFailed);
    context.on('requestfinished', onFinished);
    return () => {
      context.off('weberror', onError);
      context.off('console', onConsole);
      context.off('requestfailed', onFailed);
      context.off('requestfinished', onFinished);
    };
  }

  /**
   * The errors, but for one that says nothing: Firefox reports each answer of a service worker that its reader gave up, whatever the worker answered with, be it
   * `fetch(event.request)`. Of a body that the worker broke off it says the same; those are not forgiven, nor are more than were given up.
   */
  complaints(): string[] {
    const unended = this.errors.filter((error) => unendedBody.test(error)).length;
    let forgiven = Math.min(this.#givenUp, unended - this.#brokenOff);
    return this.errors.filter((error) => !unendedBody.test(error) || forgiven-- <= 0);
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
