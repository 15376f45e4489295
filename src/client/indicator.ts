import { formatBytes, percent } from '../format/quantity.ts';
import type { Progress } from '../protocol/state.ts';
import { shadowHost } from './shadow-host.ts';

const tag = 'sluice-progress';

const css = `
:host { all: initial; position: fixed; right: 12px; bottom: 12px; z-index: 2147483647; pointer-events: none; contain: layout style;
  opacity: 1; transition: opacity .6s }
:host([data-leaving]) { opacity: 0 }
div { display: flex; align-items: center; gap: 8px; padding: 5px 12px 5px 6px; border-radius: 999px; background: rgb(18 24 28 / .78);
  color: #fff; font: 12px/18px system-ui, sans-serif; font-variant-numeric: tabular-nums; box-shadow: 0 1px 6px rgb(0 0 0 / .35) }
svg { width: 18px; height: 18px; transform: rotate(-90deg) }
circle { fill: none; stroke-width: 3; stroke: rgb(255 255 255 / .25) }
circle + circle { stroke: #4cc3e6; stroke-linecap: round; transition: stroke-dashoffset .25s }
@media (prefers-reduced-motion: reduce) { :host, circle + circle { transition: none } }
`;
const svg = 'http://www.w3.org/2000/svg';
/** The ring's circumference is 100, so that a dash offset is a percentage. */
const radius = 100 / (2 * Math.PI);

/**
 * A small pill in the corner of the app's page that says how much of the image is here. It takes no input, and leaves when everything is here.
 */
export class Indicator {
  readonly #host: HTMLElement;
  readonly #label: HTMLElement;
  readonly #ring: SVGElement;

  constructor(document: Document) {
    const { host, shadow } = shadowHost(document, tag, css);
    this.#host = host;
    this.#host.setAttribute('role', 'progressbar');
    this.#host.setAttribute('aria-label', 'App download');
    this.#host.setAttribute('aria-valuemin', '0');
    this.#host.setAttribute('aria-valuemax', '100');
    const pill = document.createElement('div');
    const picture = document.createElementNS(svg, 'svg');
    picture.setAttribute('viewBox', '-18 -18 36 36');
    picture.append(circle(document));
    this.#ring = circle(document);
    this.#ring.setAttribute('stroke-dasharray', '100');
    this.#ring.setAttribute('stroke-dashoffset', '100');
    picture.append(this.#ring);
    this.#label = document.createElement('span');
    pill.append(picture, this.#label);
    shadow.append(pill);
  }

  update(progress: Progress): void {
    if (!this.#host.isConnected) {
      if (progress.complete) return; // It was all here before: no news.
      // Not in the constructor: that runs before there is anything to say.
      document.documentElement.append(this.#host);
    }
    const share = percent(progress.present, progress.total);
    this.#host.setAttribute('aria-valuenow', String(share));
    this.#ring.setAttribute('stroke-dashoffset', String(100 - share));
    this.#label.textContent = progress.complete
      ? 'Works offline now'
      : `${share} % of ${formatBytes(progress.total)}`;
    if (progress.complete) this.#leave();
  }

  remove(): void {
    this.#host.remove();
  }

  #leave(): void {
    setTimeout(() => this.#host.setAttribute('data-leaving', ''), 1500);
    setTimeout(() => this.#host.remove(), 2500);
  }
}

function circle(document: Document): SVGElement {
  const element = document.createElementNS(svg, 'circle');
  element.setAttribute('r', radius.toFixed(3));
  return element;
}
