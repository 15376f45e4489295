import { css, html, LitElement, type PropertyValues } from 'lit';
import type { CellMap } from '../model/cell-map.ts';
import { CellPaint, type Highlight } from '../model/cell-paint.ts';
import { cellByKey } from '../model/map-keys.ts';
import { MapLayout } from '../model/map-layout.ts';
import { zoomLevels } from '../model/zoom.ts';
import { type MapTheme, mapTheme } from './map-colours.ts';
import { drawLabels, FittingLabels, gutterWidth } from './map-labels.ts';
import { drawRings } from './map-rings.ts';
import { controls } from './theme.ts';

/** The slots of a cell, half-open; undefined: of none. */
export type CellSlots = { readonly start: number; readonly end: number } | undefined;

/** Files are read one by one: each in rows of its own. */
const fileLevel = zoomLevels.findIndex(({ size }) => size === 10);

/**
 * The picture: cells and labels on one canvas of the size of what is seen, in front of a scroller of the size of the whole. Drawn at most once a frame, and only when
 * something has changed or moved.
 *
 * Events: `cell-hover`, `cell-cursor` (moved by keys) and `cell-pick` (clicked, or Enter), with {@link CellSlots}; `zoomed`.
 */
export class BlockCanvas extends LitElement {
  static override properties = {
    map: { attribute: false },
    states: { attribute: false },
    statesVersion: { attribute: false },
    highlight: { attribute: false },
    picked: { attribute: false },
    background: { attribute: false },
  };
  declare map: CellMap | undefined;
  declare states: Uint8Array | undefined;
  declare statesVersion: number;
  declare highlight: Highlight | undefined;
  /** The slot that is kept marked. */
  declare picked: number | undefined;
  /** Of the theme: with another one, all colours are read anew. */
  declare background: string;

  #level = 0;
  #fits = true;
  #layout: MapLayout | undefined;
  #paint: CellPaint | undefined;
  #theme: MapTheme | undefined;
  #image: ImageData | undefined;
  #width = 0;
  #height = 0;
  #ratio = 1;
  #frame = 0;
  #hovered: number | undefined;
  #cursor: number | undefined;
  readonly #labels = new FittingLabels();
  readonly #scheme = matchMedia('(prefers-color-scheme: dark)');
  readonly #onScheme = (): void => this.requestUpdate();
  readonly #resizes = new ResizeObserver(() => this.#measure());

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        min-height: 0;
        min-width: 0;
      }
      .scroller {
        height: 100%;
        overflow: hidden scroll;
        cursor: crosshair;
        scrollbar-gutter: stable;
      }
      .scroller:focus-visible {
        outline-offset: -2px;
      }
      canvas {
        position: sticky;
        top: 0;
        display: block;
      }
      .space {
        position: relative;
      }
    `,
  ];

  constructor() {
    super();
    this.map = undefined;
    this.states = undefined;
    this.statesVersion = 0;
    this.highlight = undefined;
    this.picked = undefined;
    this.background = '';
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resizes.disconnect();
    this.#scheme.removeEventListener('change', this.#onScheme);
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#scheme.addEventListener('change', this.#onScheme);
    if (this.hasUpdated) this.#resizes.observe(this.#scroller);
  }

  get level(): number {
    return this.#level;
  }

  /** Blocks that stand in one cell, or pixels of one block, for people. */
  get scale(): string {
    const { blocks, size } = zoomLevels[this.#level]!;
    return blocks > 1 ? `${blocks} : 1` : `${size} px`;
  }

  /** Levels nearer (or, below 0, farther), about a point of the canvas (CSS pixels; its middle by default). */
  zoom(steps: number, x = this.#width / this.#ratio / 2, y = this.#height / this.#ratio / 2): void {
    const to = Math.max(0, Math.min(zoomLevels.length - 1, this.#level + steps));
    this.#fits = false;
    this.#zoomTo(to, x, y);
  }

  /** All of it at once, if need be with many blocks a cell. */
  fit(): void {
    this.#fits = true;
    this.#zoomTo(this.#fitting(), 0, 0);
  }

  /** Scrolls so that a slot is seen, and puts the cursor there. */
  reveal(slot: number): void {
    if (!this.#layout) return;
    this.#cursor = slot;
    const { cell } = this.#layout;
    const { y } = this.#layout.positionOf(this.#layout.cellOf(slot));
    const top = this.#scroller.scrollTop * this.#ratio;
    if (y < top || y + cell > top + this.#height)
      this.#scroller.scrollTop = (y - this.#height / 3) / this.#ratio;
    this.#redraw();
  }

  override render() {
    return html`<div
      class="scroller"
      tabindex="0"
      role="application"
      aria-roledescription="block map"
      aria-label="Block map. Arrow keys move from block to block, plus and minus zoom, 0 fits all, Enter keeps the block in the details."
      @scroll=${this.#redraw}
      @pointermove=${this.#onMove}
      @pointerleave=${this.#onLeave}
      @click=${this.#onClick}
      @keydown=${this.#onKey}
    ><div class="space"><canvas aria-hidden="true"></canvas></div></div>`;
  }

  protected override firstUpdated(): void {
    this.#scroller.addEventListener('wheel', this.#onWheel, { passive: false });
    this.#resizes.observe(this.#scroller);
    this.#measure();
  }

  protected override updated(changed: PropertyValues): void {
    const theme = mapTheme(this);
    const isNewTheme = theme.key !== this.#theme?.key;
    this.#theme = theme;
    if (changed.has('map')) {
      this.#hovered = undefined;
      this.#cursor = undefined;
      this.#fits = this.map?.order === undefined;
      this.#level = this.#fits ? this.#fitting() : fileLevel;
      this.#scroller.scrollTop = 0;
      this.#arrange();
      this.dispatchEvent(new CustomEvent('zoomed'));
    } else if (isNewTheme) this.#arrange();
    else if (changed.has('statesVersion') || changed.has('highlight')) {
      this.#takeStates();
      this.#redraw();
    } else if (changed.has('picked')) this.#redraw();
  }

  get #scroller(): HTMLElement {
    return this.renderRoot.querySelector<HTMLElement>('.scroller')!;
  }

  get #canvas(): HTMLCanvasElement {
    return this.renderRoot.querySelector('canvas')!;
  }

  get #gutter(): number {
    return Math.round(gutterWidth(this.#width / this.#ratio) * this.#ratio);
  }

  #measure(): void {
    const { clientWidth, clientHeight } = this.#scroller;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.#ratio = devicePixelRatio;
    this.#width = Math.round(clientWidth * this.#ratio);
    this.#height = Math.round(clientHeight * this.#ratio);
    const canvas = this.#canvas;
    canvas.width = this.#width;
    canvas.height = this.#height;
    canvas.style.width = `${this.#width / this.#ratio}px`;
    canvas.style.height = `${this.#height / this.#ratio}px`;
    const width = Math.max(1, this.#width - this.#gutter);
    this.#image = new ImageData(width, this.#height);
    if (this.#fits) this.#level = this.#fitting();
    this.#arrange();
    this.dispatchEvent(new CustomEvent('zoomed'));
  }

  /** Lays the map out anew, and draws. */
  #arrange(): void {
    if (!this.map || !this.#theme || !this.#image) return;
    this.#layout = this.#layoutAt(this.#level);
    const space = this.renderRoot.querySelector<HTMLElement>('.space')!;
    space.style.height = `${Math.ceil(this.#layout.height / this.#ratio)}px`;
    space.style.minHeight = `${this.#height / this.#ratio}px`;
    this.#paint = new CellPaint(this.#layout, this.#theme);
    this.#takeStates();
    this.#redraw();
  }

  #layoutAt(level: number): MapLayout {
    return new MapLayout(this.map!, {
      level: zoomLevels[level]!,
      width: this.#image!.width,
      pixelRatio: this.#ratio,
    });
  }

  #fitting(): number {
    if (!this.map || !this.#image) return this.#level;
    for (let level = zoomLevels.length - 1; level > 0; level--) {
      if (this.#layoutAt(level).height <= this.#height) return level;
    }
    return 0;
  }

  #zoomTo(level: number, x: number, y: number): void {
    const before = this.#layout;
    if (!before || !this.map || level === this.#level) return;
    const top = this.#scroller.scrollTop * this.#ratio;
    const at = before.cellAt(x * this.#ratio - this.#gutter, top + y * this.#ratio);
    const slot = (at === undefined ? undefined : before.slotsOf(at)?.start) ?? this.#cursor;
    this.#level = level;
    this.#arrange();
    if (slot !== undefined) {
      const after = this.#layout!;
      this.#scroller.scrollTop = after.positionOf(after.cellOf(slot)).y / this.#ratio - y;
    }
    this.dispatchEvent(new CustomEvent('zoomed'));
  }

  #takeStates(): void {
    if (this.states && this.#paint) this.#paint.update(this.states, this.highlight);
  }

  readonly #redraw = (): void => {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  };

  #draw(): void {
    const layout = this.#layout;
    const paint = this.#paint;
    const theme = this.#theme;
    const image = this.#image;
    const context = this.#canvas.getContext('2d', { alpha: false });
    if (!layout || !paint || !theme || !image || !context) return;
    const top = Math.round(this.#scroller.scrollTop * this.#ratio);
    paint.draw(new Uint32Array(image.data.buffer), image.width, top);
    context.putImageData(image, this.#gutter, 0);
    const gutter = this.#gutter;
    drawLabels(context, {
      layout,
      theme,
      top,
      width: gutter,
      height: this.#height,
      ratio: this.#ratio,
      states: this.states,
      labels: this.#labels,
    });
    const marks = { picked: this.picked, cursor: this.#cursor, hovered: this.#hovered };
    drawRings(context, { layout, theme, left: gutter, top, ratio: this.#ratio }, marks);
  }

  #cellAt(event: MouseEvent): number | undefined {
    const { left, top } = this.#scroller.getBoundingClientRect();
    const x = (event.clientX - left) * this.#ratio - this.#gutter;
    return this.#layout?.cellAt(x, (event.clientY - top + this.#scroller.scrollTop) * this.#ratio);
  }

  #tell(name: string, cell: number | undefined): void {
    const detail: CellSlots = cell === undefined ? undefined : this.#layout!.slotsOf(cell);
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  readonly #onMove = (event: PointerEvent): void => {
    const cell = this.#cellAt(event);
    const slot = cell === undefined ? undefined : this.#layout!.slotsOf(cell)!.start;
    if (slot === this.#hovered) return;
    this.#hovered = slot;
    this.#tell('cell-hover', cell);
    this.#redraw();
  };

  readonly #onLeave = (): void => {
    this.#hovered = undefined;
    this.#tell('cell-hover', undefined);
    this.#redraw();
  };

  readonly #onClick = (event: MouseEvent): void => {
    const cell = this.#cellAt(event);
    if (cell !== undefined) this.#cursor = this.#layout!.slotsOf(cell)!.start;
    this.#tell('cell-pick', cell);
    this.#redraw();
  };

  readonly #onWheel = (event: WheelEvent): void => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const { left, top } = this.#scroller.getBoundingClientRect();
    this.zoom(event.deltaY < 0 ? 1 : -1, event.clientX - left, event.clientY - top);
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (key === '+' || key === '=') this.zoom(1);
    else if (key === '-') this.zoom(-1);
    else if (key === '0') this.fit();
    else if (key === 'Enter' || key === ' ') this.#tell('cell-pick', this.#cursorCell());
    else if (key === 'Escape') this.#tell('cell-pick', undefined);
    else if (!this.#moveCursor(key)) return;
    event.preventDefault();
  };

  #cursorCell(): number | undefined {
    return this.#cursor === undefined ? undefined : this.#layout?.cellOf(this.#cursor);
  }

  /** Whether the key moves it. */
  #moveCursor(key: string): boolean {
    const layout = this.#layout;
    const to = layout && cellByKey(layout, key, this.#cursorCell(), this.#height);
    if (!layout || to === undefined) return false;
    const slots = layout.slotsOf(to);
    if (slots) {
      this.reveal(slots.start);
      this.#tell('cell-cursor', to);
    }
    return true;
  }
}
