import { SluiceError } from '../format/errors.ts';
import { launchRemedy } from '../format/launch-remedies.ts';
import { formatBytes, formatRate, percent } from '../format/quantity.ts';
import type { Progress } from '../protocol/state.ts';

/** The boot page's elements, as the template index.html has them. */
export class BootView {
  readonly #document: Document;
  #step = '';
  #progress: Progress | undefined;
  /** It says how the launch ended: what still comes in from it does not overwrite that. */
  #ended = false;

  constructor(document: Document) {
    this.#document = document;
    adoptStyles(document);
  }

  /** What the launch waits for now. */
  step(text: string): void {
    this.#step = text;
    this.#show();
  }

  progress(progress: Progress): void {
    this.#progress = progress;
    this.#show();
  }

  /** Says what is wrong and what to do. Resolves when the visitor asks to try again, or the network comes back. */
  async failed(error: SluiceError): Promise<void> {
    const { code, message, path } = error;
    this.#ended = true;
    const title = this.#element('title');
    const before = title.textContent;
    title.textContent = 'The app could not be started';
    title.className = 'failed';
    this.#element('bar').hidden = true;
    this.#element('status').textContent =
      `${message}. ${launchRemedy(code)} (${code}${path ? `, ${path}` : ''})`;
    await this.#tryAgain();
    title.textContent = before;
    title.className = '';
    this.#element('bar').hidden = false;
    this.#progress = undefined;
    this.#ended = false;
  }

  /** The end of the road: the path is not a part of the app. */
  notInApp(path: string, home: string): void {
    this.#ended = true;
    this.#element('title').textContent = 'There is no such page';
    this.#element('bar').hidden = true;
    const link = this.#document.createElement('a');
    link.href = home;
    link.textContent = 'Go to its start page';
    this.#element('status').replaceChildren(`${path} is not a part of this app. `, link, '.');
  }

  #show(): void {
    if (this.#ended) return;
    const progress = this.#progress;
    const bar = this.#element('bar');
    const words: string[] = [];
    if (progress !== undefined && progress.total > 0) {
      const share = percent(progress.present, progress.total);
      bar.setAttribute('aria-valuenow', String(share));
      // Set by property: a policy that forbids style attributes allows this.
      const fill = bar.firstElementChild;
      if (fill instanceof HTMLElement) fill.style.transform = `translateX(${share - 100}%)`;
      words.push(`${formatBytes(progress.present)} of ${formatBytes(progress.total)}`);
      if (progress.rate > 0) words.push(formatRate(progress.rate));
    }
    words.push(progress?.waitingFor === undefined ? this.#step : `Waiting for ${progress.waitingFor}`);
    this.#element('status').textContent = words.join(' · ');
  }

  #tryAgain(): Promise<void> {
    const button = this.#document.createElement('button');
    button.type = 'button';
    button.textContent = 'Try again';
    this.#element('status').after(button);
    return new Promise((resolve) => {
      const done = (): void => {
        removeEventListener('online', done);
        button.remove();
        resolve();
      };
      button.addEventListener('click', done);
      addEventListener('online', done);
    });
  }

  #element(name: 'title' | 'bar' | 'status'): HTMLElement {
    const element = this.#document.getElementById(`sluice-${name}`);
    if (element === null) throw new SluiceError('EINVAL', `The boot page has no element #sluice-${name}`);
    return element;
  }
}

/** A policy that forbids the page's inline style leaves it without a sheet; one that is constructed is allowed. */
function adoptStyles(document: Document): void {
  for (const style of document.querySelectorAll('style')) {
    if (style.sheet) continue;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style.textContent);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }
}
