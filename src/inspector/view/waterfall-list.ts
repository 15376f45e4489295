import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { formatMs, formatNumberOf } from '../../format/quantity.ts';
import { formatBlock } from '../model/labels.ts';
import { rowByKey } from '../model/list-keys.ts';
import type { WaterfallRow } from '../model/waterfall-rows.ts';
import { moved, type TimeMark, type TimeSpan, ticks, zoomed } from '../model/waterfall-span.ts';
import { controls } from './theme.ts';
import { listStyles, phases } from './waterfall-styles.ts';

const rowHeight = 20;
/** Rows that are drawn above and below what is seen. */
const spare = 12;
/** Between lines of the ruler. */
const tickWidth = 90;

/**
 * The rows of the waterfall: only those that are seen are made. One is chosen by click or arrow keys; the time is zoomed by + and −, or by the wheel with Ctrl, and moved
 * by ← and →, or by the wheel sideways. Tells `choose` (key of a row), `span` (a TimeSpan) and `point` (a row and where the pointer is, or nothing).
 */
export class WaterfallList extends LitElement {
  static override properties = {
    rows: { attribute: false },
    span: { attribute: false },
    bounds: { attribute: false },
    origin: { attribute: false },
    marks: { attribute: false },
    chosen: { attribute: false },
    byDuration: { attribute: false },
    first: { state: true },
    size: { state: true },
  };
  declare rows: readonly WaterfallRow[];
  declare span: TimeSpan;
  declare bounds: TimeSpan;
  declare origin: number;
  declare marks: readonly TimeMark[];
  declare chosen: string | undefined;
  declare byDuration: boolean;
  declare protected first: number;
  declare protected size: { readonly height: number; readonly timeWidth: number };
  readonly #observer = new ResizeObserver(() => this.#measure());

  /** Before it is written in a template. */
  static define(): void {
    if (!customElements.get('sluice-waterfall-list'))
      customElements.define('sluice-waterfall-list', WaterfallList);
  }

  static override styles = [controls, phases, listStyles];

  constructor() {
    super();
    this.first = 0;
    this.size = { height: 400, timeWidth: 400 };
    this.tabIndex = 0;
    this.setAttribute('role', 'grid');
    this.setAttribute('aria-label', 'Reads and requests by time');
    this.addEventListener('scroll', this.#onScroll, { passive: true });
    this.addEventListener('keydown', this.#onKey);
    this.addEventListener('wheel', this.#onWheel, { passive: false });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer.disconnect();
  }

  override render() {
    const { rows, span, origin } = this;
    this.setAttribute('aria-rowcount', String(rows.length));
    const last = Math.min(rows.length, this.first + Math.ceil(this.size.height / rowHeight) + 2 * spare);
    const length = span.end - span.start;
    const count = Math.max(2, Math.floor(this.size.timeWidth / tickWidth));
    const lines = ticks(span, origin, count);
    const at = (time: number): number => ((time - span.start) / length) * 100;
    const step = lines.length > 1 ? ((lines[1]! - lines[0]!) / length) * this.size.timeWidth : 1e6;
    const offset = (((lines[0] ?? 0) + origin - span.start) / length) * this.size.timeWidth;
    const drawn = `height: ${rows.length * rowHeight}px; --tick-step: ${step}px; --tick-offset: ${offset}px`;
    return html`<div class="head" role="row">
        <span role="columnheader">Path</span>
        <span role="columnheader" class="block">Block</span>
        <button role="columnheader" aria-sort=${this.byDuration ? 'descending' : 'none'} title="Sort by time taken, or by begin" @click=${this.#sort}>
          Took${this.byDuration ? ' ▼' : ''}
        </button>
        <div class="ruler" role="columnheader" aria-label="Time">
          ${lines.map((ms) => html`<span .style=${`left: ${at(ms + origin)}%`}>${tickLabel(ms)}</span>`)}
        </div>
      </div>
      <div class="body" role="rowgroup" .style=${drawn} @pointermove=${this.#onPoint} @pointerleave=${this.#onLeave}>
        <div class="marks"><div>
          ${this.marks.map((mark) => html`<i class=${mark.name === 'last wait over' ? 'late' : ''} .style=${`left: ${at(mark.at)}%`}></i>`)}
        </div></div>
        ${repeat(
          rows.slice(this.first, last),
          ({ key }) => key,
          (row, i) => this.#row(row, this.first + i, at),
        )}
      </div>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('rows')) this.#onScroll();
    if (changed.has('chosen')) this.#reveal();
  }

  #row(row: WaterfallRow, index: number, at: (time: number) => number): TemplateResult {
    const failed = row.kind === 'read' ? row.read.failed : row.fetch.failed;
    const isFailed = failed !== undefined && failed !== 'closed';
    return html`<div
      class=${`row ${row.kind} ${index % 2 ? 'odd' : ''} ${isFailed ? 'failed' : ''}`}
      role="row"
      id=${row.key}
      aria-rowindex=${index + 2}
      aria-selected=${row.key === this.chosen}
      data-index=${index}
      .style=${`top: ${index * rowHeight}px`}
      @click=${() => this.#choose(row)}
    >
      <span class="path" role="gridcell">${label(row)}</span>
      <span class="block" role="gridcell">${row.kind === 'read' ? formatBlock(row.read.blob, row.read.block) : nothing}</span>
      <span class="took" role="gridcell">${isFailed ? failed : row.end > row.start ? formatMs(row.end - row.start) : 'here'}</span>
      <span class="time" role="gridcell">${this.#bars(row, at, isFailed)}</span>
    </div>`;
  }

  #bars(
    row: WaterfallRow,
    at: (time: number) => number,
    isFailed: boolean,
  ): TemplateResult | TemplateResult[] {
    if (row.segments.length === 0)
      return html`<i class=${`bar phase ${isFailed ? 'failed' : 'hit'}`} .style=${`left: ${at(row.start)}%`}></i>`;
    const seen = row.segments.filter(({ start, end }) => end >= this.span.start && start <= this.span.end);
    return seen.map(({ phase, start, end }) => {
      const left = Math.max(at(start), -1);
      const style = `left: ${left}%; width: ${Math.min(at(end), 101) - left}%`;
      return html`<i class=${`bar phase ${isFailed ? 'failed' : phase}`} .style=${style}></i>`;
    });
  }

  #choose(row: WaterfallRow | undefined): void {
    this.dispatchEvent(new CustomEvent('choose', { detail: row?.key }));
  }

  #tellSpan(span: TimeSpan): void {
    this.dispatchEvent(new CustomEvent('span', { detail: span }));
  }

  #reveal(): void {
    if (this.chosen) this.setAttribute('aria-activedescendant', this.chosen);
    const index = this.rows.findIndex(({ key }) => key === this.chosen);
    if (index < 0) return;
    const top = index * rowHeight;
    if (top < this.scrollTop) this.scrollTop = top;
    else if (top + 2 * rowHeight + 4 > this.scrollTop + this.clientHeight)
      this.scrollTop = top + 2 * rowHeight + 4 - this.clientHeight;
  }

  #measure(): void {
    const ruler = this.renderRoot.querySelector('.ruler');
    this.size = { height: this.clientHeight, timeWidth: ruler?.clientWidth || 400 };
  }

  readonly #sort = (): void => {
    this.dispatchEvent(new CustomEvent('sort'));
  };

  readonly #onScroll = (): void => {
    this.first = Math.max(0, Math.floor(this.scrollTop / rowHeight) - spare);
  };

  readonly #onPoint = (event: PointerEvent): void => {
    const found = (event.target as Element).closest<HTMLElement>('.row');
    const row = found ? this.rows[Number(found.dataset.index)] : undefined;
    this.dispatchEvent(
      new CustomEvent('point', { detail: row && { row, x: event.clientX, y: event.clientY } }),
    );
  };

  readonly #onLeave = (): void => {
    this.dispatchEvent(new CustomEvent('point'));
  };

  readonly #onWheel = (event: WheelEvent): void => {
    const ruler = this.renderRoot.querySelector('.ruler')!.getBoundingClientRect();
    const length = this.span.end - this.span.start;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const around = this.span.start + (length * (event.clientX - ruler.left)) / ruler.width;
      this.#tellSpan(zoomed(this.span, 1.0015 ** event.deltaY, around, this.bounds));
    } else if (event.deltaX !== 0) {
      event.preventDefault();
      this.#tellSpan(moved(this.span, (event.deltaX / ruler.width) * length, this.bounds));
    }
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.composedPath()[0] !== this) return;
    const { span, bounds, rows } = this;
    const middle = (span.start + span.end) / 2;
    const page = Math.max(1, Math.floor(this.clientHeight / rowHeight) - 2);
    const now = rows.findIndex(({ key }) => key === this.chosen);
    const next = rowByKey(event.key, now, rows.length, page);
    if (next !== undefined) this.#choose(rows[next]);
    else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      const share = event.key === 'ArrowLeft' ? -0.2 : 0.2;
      this.#tellSpan(moved(span, share * (span.end - span.start), bounds));
    } else if (event.key === '+' || event.key === '=') this.#tellSpan(zoomed(span, 0.6, middle, bounds));
    else if (event.key === '-') this.#tellSpan(zoomed(span, 1 / 0.6, middle, bounds));
    else if (event.key === 'Escape') this.#choose(undefined);
    else return;
    event.preventDefault();
  };
}

function label(row: WaterfallRow): TemplateResult {
  if (row.kind === 'read') return html`${row.read.path || '/'}`;
  const { kind, blob, blocks, start } = row.fetch;
  const what = blocks === 0 && start === 0 ? 'table' : formatNumberOf(blocks, 'block');
  return html`<i class=${`kind ${kind}`}></i>${`request, ${kind}: ${what} of blob ${blob}`}`;
}

/** `0 ms`, `150 ms`, `2.5 s`: no digits that all lines share. */
function tickLabel(ms: number): string {
  return Math.abs(ms) < 1000 ? `${Number(ms.toFixed(2))} ms` : `${Number((ms / 1000).toFixed(3))} s`;
}
