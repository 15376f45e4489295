import { css, html, nothing, type PropertyValues } from 'lit';
import { formatCount } from '../../format/quantity.ts';
import { pinnedFlag } from '../../protocol/block-states.ts';
import { CellMap } from '../model/cell-map.ts';
import type { Highlight } from '../model/cell-paint.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { countStates, type StateCounts } from '../model/state-counts.ts';
import { BlockCanvas, type CellSlots } from './block-canvas.ts';
import { BlockDetails } from './block-details.ts';
import { buttonGroup } from './button-group.ts';
import { blockStateWords } from './map-colours.ts';
import { controls } from './theme.ts';
import { ViewElement } from './view-element.ts';

/** How long a cursor rests before its block is read out. */
const spokenMs = 200;

/** Every published block as a cell of a picture, by blob or by file. */
export class BlockMapView extends ViewElement {
  static override properties = {
    order: { state: true },
    hovered: { state: true },
    cursor: { state: true },
    picked: { state: true },
    only: { state: true },
    file: { state: true },
    spoken: { state: true },
    scale: { state: true },
  };
  declare protected order: 'blob' | 'file';
  declare protected hovered: CellSlots;
  declare protected cursor: CellSlots;
  declare protected picked: CellSlots;
  /** A state; the blocks of all others are dimmed. */
  declare protected only: number | undefined;
  /** A path; blocks of others are dimmed. */
  declare protected file: string | undefined;
  declare protected spoken: string;
  declare protected scale: string;

  #map: CellMap | undefined;
  #mapOf: { readonly image: Snapshot['image']; readonly order: 'blob' | 'file' } | undefined;
  #counts: StateCounts | undefined;
  #countedVersion = -1;
  #highlight: Highlight | undefined;
  #speaking: ReturnType<typeof setTimeout> | undefined;
  #toReveal: number | undefined;

  static override styles = [
    controls,
    buttonGroup,
    css`
      :host {
        container-type: size;
        display: grid;
        grid-template: auto minmax(0, 1fr) / minmax(0, 1fr);
      }
      .main {
        display: grid;
        grid-template: minmax(0, 1fr) / minmax(0, 1fr) 272px;
      }
      sluice-block-details {
        border-left: 1px solid var(--line);
      }
      @container (max-width: 700px) {
        .main {
          grid-template: minmax(0, 1fr) 168px / minmax(0, 1fr);
        }
        sluice-block-details {
          border-left: 0;
          border-top: 1px solid var(--line);
        }
      }
      sluice-block-canvas {
        padding-top: 6px;
      }
      .scale {
        min-width: 46px;
        text-align: center;
      }
      .square {
        width: 24px;
        padding: 0;
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 0 2px;
      }
      .legend button {
        display: inline-flex;
        align-items: center;
        gap: 5px;
        padding: 0 6px;
      }
      .legend b {
        min-width: 1ch;
        font-weight: 500;
      }
      .legend .none {
        opacity: 0.6;
      }
      .swatch {
        position: relative;
        width: 11px;
        height: 11px;
        border-radius: 2px;
        overflow: hidden;
        box-shadow: inset 0 0 0 1px rgb(128 128 128 / 0.25);
      }
      .swatch::after {
        position: absolute;
        inset: 0;
        font: bold 11px/11px system-ui, sans-serif;
        text-align: center;
        color: var(--ink);
      }
      .s1::after {
        content: '';
        top: auto;
        height: 2px;
        background: var(--ink);
      }
      .s2::after {
        content: '•';
      }
      .s3::after {
        content: '×';
      }
      .pin::after {
        content: '';
        width: 0;
        border: solid transparent;
        border-width: 5px;
        border-top-color: var(--ink);
        border-left-color: var(--ink);
        inset: 0 auto auto 0;
      }
    `,
  ];

  constructor() {
    super();
    this.order = 'blob';
    this.hovered = undefined;
    this.cursor = undefined;
    this.picked = undefined;
    this.only = undefined;
    this.file = undefined;
    this.spoken = '';
    this.scale = '';
    if (!customElements.get('sluice-block-canvas')) customElements.define('sluice-block-canvas', BlockCanvas);
    if (!customElements.get('sluice-block-details'))
      customElements.define('sluice-block-details', BlockDetails);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#speaking);
  }

  protected override willUpdate(changed: PropertyValues): void {
    const { snapshot } = this;
    if (!snapshot) return;
    if (changed.has('target')) this.#jump(snapshot);
    if (this.#mapOf?.image !== snapshot.image || this.#mapOf.order !== this.order) {
      if (this.#mapOf && this.#mapOf.image !== snapshot.image) this.file = undefined;
      this.#mapOf = { image: snapshot.image, order: this.order };
      this.#map =
        this.order === 'blob'
          ? CellMap.byBlob(snapshot.space)
          : CellMap.byFile(snapshot.image, snapshot.space);
      this.hovered = undefined;
      this.cursor = undefined;
      this.picked = undefined;
    }
    if (snapshot.statesVersion !== this.#countedVersion || changed.has('snapshot')) {
      if (snapshot.statesVersion !== this.#countedVersion) this.#counts = countStates(snapshot.states);
      this.#countedVersion = snapshot.statesVersion;
    }
    if (changed.has('only') || changed.has('file')) this.#highlight = this.#newHighlight(snapshot);
  }

  protected override updated(): void {
    if (this.#toReveal === undefined) return;
    const block = this.#toReveal;
    this.#toReveal = undefined;
    const canvas = this.#canvas;
    void canvas?.updateComplete.then(() => {
      const slot = this.#map?.slotOf(block);
      if (slot === undefined) return;
      canvas.reveal(slot);
      this.picked = { start: slot, end: slot + 1 };
    });
  }

  override render() {
    const { snapshot } = this;
    if (!snapshot) return html`<div class="empty"><p>Nothing is known of the blocks yet.</p></div>`;
    const shown = this.hovered ?? this.picked ?? this.cursor;
    return html`
      <div class="toolbar" role="toolbar" aria-label="Block map">
        <div class="group" role="group" aria-label="Order">
          ${this.#orderButton('blob', 'By blob')} ${this.#orderButton('file', 'By file')}
        </div>
        <div class="group" role="group" aria-label="Zoom">
          <button class="square" aria-label="Zoom out" title="Zoom out (−)" @click=${() => this.#canvas?.zoom(-1)}>−</button>
          <button class="scale" title="Fit all (0)" aria-label=${`Fit all. Now ${this.scale}`} @click=${() => this.#canvas?.fit()}>${this.scale}</button>
          <button class="square" aria-label="Zoom in" title="Zoom in (+)" @click=${() => this.#canvas?.zoom(1)}>+</button>
        </div>
        ${
          this.file === undefined
            ? nothing
            : html`<button title="Show all files again" @click=${() => this.#dropFile()}>${nameOf(this.file)} ✕</button>`
        }
        <span class="gap"></span>
        ${this.#legend()}
      </div>
      <div class="main">
        <sluice-block-canvas
          .map=${this.#map}
          .states=${snapshot.states}
          .statesVersion=${snapshot.statesVersion}
          .highlight=${this.#highlight}
          .picked=${this.picked?.start}
          .background=${getComputedStyle(this).getPropertyValue('--bg')}
          @cell-hover=${(event: CustomEvent<CellSlots>) => {
            this.hovered = event.detail;
          }}
          @cell-cursor=${(event: CustomEvent<CellSlots>) => {
            this.cursor = event.detail;
            if (this.picked) this.picked = undefined;
            this.#speak(event.detail);
          }}
          @cell-pick=${(event: CustomEvent<CellSlots>) => this.#pick(event.detail)}
          @zoomed=${() => {
            this.scale = this.#canvas?.scale ?? '';
          }}
        ></sluice-block-canvas>
        <sluice-block-details
          role="region"
          aria-label="Details of the block"
          tabindex="0"
          .snapshot=${snapshot}
          .actions=${this.actions}
          .map=${this.#map}
          .slots=${shown}
          .kept=${this.picked !== undefined && shown === this.picked}
          @let-go=${() => this.#pick(undefined)}
        ></sluice-block-details>
      </div>
      <div class="sr-only" aria-live="polite">${this.spoken}</div>`;
  }

  #orderButton(order: 'blob' | 'file', words: string) {
    return html`<button
      aria-pressed=${this.order === order}
      @click=${() => {
        this.order = order;
      }}
    >${words}</button>`;
  }

  #legend() {
    const counts = this.#counts;
    const toggle = (state: number): void => {
      this.file = undefined;
      this.only = this.only === state ? undefined : state;
    };
    return html`<div class="legend" role="group" aria-label="States; press one to see only its blocks">
      ${blockStateWords.map(({ state, word, colour }) => {
        const count = counts?.byState[state] ?? 0;
        return html`<button
          class=${`plain ${count === 0 ? 'none' : ''}`}
          data-state=${state}
          aria-pressed=${this.only === state}
          @click=${() => toggle(state)}
        ><span class=${`swatch s${state}`} .style=${`background: var(${colour})`}></span>${word}
          <b>${formatCount(count)}</b></button>`;
      })}
      <span class="soft" .style=${'display: inline-flex; align-items: center; gap: 5px; padding: 0 6px; height: 22px'}
        ><span class="swatch pin"></span>pinned <b>${formatCount(counts?.pinned ?? 0)}</b></span>
    </div>`;
  }

  get #canvas(): BlockCanvas | null {
    return this.renderRoot.querySelector<BlockCanvas>('sluice-block-canvas');
  }

  #pick(slots: CellSlots): void {
    const again = slots && slots.start === this.picked?.start && slots.end === this.picked.end;
    this.picked = again ? undefined : slots;
    if (slots) this.cursor = slots;
  }

  #jump(snapshot: Snapshot): void {
    const { target } = this;
    if (target?.view !== 'map') return;
    this.only = undefined;
    if ('block' in target) {
      this.file = undefined;
      this.#toReveal = snapshot.space.indexOf(target.block);
      return;
    }
    this.file = target.path;
    const inode = snapshot.image.lookup(target.path);
    const span = inode === undefined ? undefined : snapshot.image.mapExtents(inode, 0, 1).next().value;
    if (span) this.#toReveal = snapshot.space.startOf(span.blob) + span.firstBlock;
  }

  #dropFile(): void {
    this.file = undefined;
  }

  #newHighlight({ image, space }: Snapshot): Highlight | undefined {
    if (this.only !== undefined) return { state: this.only };
    const inode = this.file === undefined ? undefined : image.lookup(this.file);
    if (inode === undefined) return undefined;
    const blocks = new Set<number>();
    for (const { blob, firstBlock, blockCount } of image.mapExtents(inode, 0, Number.POSITIVE_INFINITY)) {
      const first = space.startOf(blob) + firstBlock;
      for (let i = 0; i < blockCount; i++) blocks.add(first + i);
    }
    return { blocks };
  }

  /** For who does not see the picture: in one sentence, once the cursor rests. */
  #speak(slots: CellSlots): void {
    clearTimeout(this.#speaking);
    this.#speaking = setTimeout(() => {
      this.spoken = slots && this.snapshot && this.#map ? sentence(this.snapshot, this.#map, slots) : '';
    }, spokenMs);
  }
}

function sentence({ space, states }: Snapshot, map: CellMap, { start, end }: NonNullable<CellSlots>): string {
  const band = map.bands[map.bandAt(start)]!;
  if (end - start > 1) return `Blocks ${start - band.start} to ${end - 1 - band.start} of ${band.label}`;
  const index = map.blockAt(start);
  const { blob, block } = space.placeOf(index)!;
  const byte = states[index]!;
  const { word } = blockStateWords[byte & (pinnedFlag - 1)]!;
  return `Block ${block} of blob ${blob}: ${word}${byte & pinnedFlag ? ', pinned' : ''}`;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
