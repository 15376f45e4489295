import { css, html, LitElement, type PropertyValues, type SVGTemplateResult, svg } from 'lit';
import type { WaterfallRow } from '../model/waterfall-rows.ts';
import type { TimeSpan } from '../model/waterfall-span.ts';
import { controls } from './theme.ts';

const width = 1000;
const height = 40;
/** The upper part has requests by kind, the lower one how many reads waited. */
const requestsHeight = 18;
const kinds = ['demand', 'launch', 'background'] as const;

/** All of the time at one glance, with the part that the rows show; a part is chosen by dragging, and by a double click all of it. Tells `span`. */
export class WaterfallOverview extends LitElement {
  static override properties = {
    rows: { attribute: false },
    span: { attribute: false },
    bounds: { attribute: false },
  };
  declare rows: readonly WaterfallRow[];
  declare span: TimeSpan;
  declare bounds: TimeSpan;
  /** Of the rows, within the bounds: spans change at each frame of a zoom. */
  #paths: readonly SVGTemplateResult[] = [];
  /** Where dragging began, in Unix ms. */
  #from: number | undefined;

  /** Before it is written in a template. */
  static define(): void {
    if (!customElements.get('sluice-waterfall-overview'))
      customElements.define('sluice-waterfall-overview', WaterfallOverview);
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        position: relative;
        height: 46px;
        padding: 3px 0;
        background: var(--bg);
        border-bottom: 1px solid var(--line);
        touch-action: none;
        cursor: crosshair;
      }
      svg {
        display: block;
        width: 100%;
        height: 40px;
      }
      .hint {
        position: absolute;
        top: 1px;
        right: 6px;
        font-size: 10px;
        line-height: 14px;
        color: var(--soft);
        text-shadow: 0 0 3px var(--bg), 0 0 3px var(--bg), 0 0 3px var(--bg);
        pointer-events: none;
      }
      .hint.low {
        top: 22px;
      }
      .demand {
        fill: var(--kind-demand);
      }
      .launch {
        fill: var(--kind-launch);
      }
      .background {
        fill: var(--kind-background);
      }
      .waits {
        fill: color-mix(in srgb, var(--bad) 55%, transparent);
      }
      .outside {
        fill: var(--bar);
        opacity: 0.72;
      }
      .edge {
        stroke: var(--accent);
        vector-effect: non-scaling-stroke;
      }
      .rule {
        stroke: var(--line);
        vector-effect: non-scaling-stroke;
      }
    `,
  ];

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has('rows') && !changed.has('bounds')) return;
    const x = this.#axis();
    const pathOf = (kind: string, i: number) =>
      requestsPath(this.rows, kind, (i * requestsHeight) / kinds.length, x);
    this.#paths = [
      ...kinds.map((kind, i) => svg`<path class=${kind} d=${pathOf(kind, i)}></path>`),
      svg`<path class="waits" d=${waitsPath(this.rows, x)}></path>`,
    ];
  }

  override render() {
    const { bounds, span } = this;
    const x = this.#axis();
    const [left, right] = [x(span.start), x(span.end)];
    return html`<span class="hint">requests</span><span class="hint low">reads that wait</span><svg
      viewBox=${`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label="Above requests by class, below how many reads wait. Drag to see a part of the time, double click to see all."
      @pointerdown=${this.#onDown}
      @pointermove=${this.#onMove}
      @pointerup=${this.#onUp}
      @dblclick=${() => this.#tell(bounds)}
    >
      ${this.#paths}
      <line class="rule" x1="0" x2=${width} y1=${requestsHeight + 1} y2=${requestsHeight + 1}></line>
      <rect class="outside" x="0" y="0" width=${Math.max(0, left)} height=${height}></rect>
      <rect class="outside" x=${right} y="0" width=${Math.max(0, width - right)} height=${height}></rect>
      <line class="edge" x1=${left} x2=${left} y1="0" y2=${height}></line>
      <line class="edge" x1=${right} x2=${right} y1="0" y2=${height}></line>
    </svg>`;
  }

  /** From Unix ms to units of the picture. */
  #axis(): (time: number) => number {
    const { start, end } = this.bounds;
    return (time) => ((time - start) / (end - start)) * width;
  }

  #timeAt(event: PointerEvent): number {
    const { left, width: all } = this.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - left) / all, 0), 1);
    return this.bounds.start + share * (this.bounds.end - this.bounds.start);
  }

  #tell(span: TimeSpan): void {
    this.dispatchEvent(new CustomEvent('span', { detail: span }));
  }

  readonly #onDown = (event: PointerEvent): void => {
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    this.#from = this.#timeAt(event);
  };

  readonly #onMove = (event: PointerEvent): void => {
    if (this.#from === undefined) return;
    const to = this.#timeAt(event);
    const [start, end] = this.#from < to ? [this.#from, to] : [to, this.#from];
    // A click is no choice.
    if (end - start > (this.bounds.end - this.bounds.start) / 200) this.#tell({ start, end });
  };

  readonly #onUp = (): void => {
    this.#from = undefined;
  };
}

function requestsPath(
  rows: readonly WaterfallRow[],
  kind: string,
  top: number,
  x: (time: number) => number,
): string {
  let path = '';
  let last = -1;
  const thick = requestsHeight / kinds.length - 1.5;
  for (const row of rows) {
    if (row.kind !== 'fetch' || row.fetch.kind !== kind) continue;
    const from = Math.max(x(row.start), last);
    const to = Math.max(x(row.end), from + 1);
    if (to <= last) continue;
    path += `M${from.toFixed(1)} ${top}H${to.toFixed(1)}v${thick}H${from.toFixed(1)}z`;
    last = to;
  }
  return path;
}

/** How many reads wait at each moment, as a skyline. */
function waitsPath(rows: readonly WaterfallRow[], x: (time: number) => number): string {
  const changes = new Float64Array(width + 2);
  for (const row of rows) {
    if (row.kind !== 'read' || row.read.waitedMs === 0) continue;
    const from = Math.min(Math.max(Math.floor(x(row.start)), 0), width);
    const to = Math.min(Math.max(Math.floor(x(row.end)), from), width);
    changes[from]! += 1;
    changes[to + 1]! -= 1;
  }
  let waiting = 0;
  const counts = Array.from(changes.subarray(0, width), (change) => (waiting += change));
  const most = Math.max(4, ...counts);
  const room = height - requestsHeight - 3;
  const points = counts.map((count, i) => `L${i} ${(height - (count / most) * room).toFixed(1)}H${i + 1}`);
  return `M0 ${height}${points.join('')}L${width} ${height}z`;
}
