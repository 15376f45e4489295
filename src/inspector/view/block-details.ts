import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import type { BlockTable } from '../../format/block-table.ts';
import { formatBytes, formatCount } from '../../format/quantity.ts';
import { ReverseMap } from '../../image/reverse-map.ts';
import { pinnedFlag } from '../../protocol/block-states.ts';
import type { InspectorActions } from '../actions.ts';
import { blockFacts, ownersOf } from '../model/block-facts.ts';
import type { CellMap } from '../model/cell-map.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { countStates } from '../model/state-counts.ts';
import type { CellSlots } from './block-canvas.ts';
import { blockStateWords } from './map-colours.ts';
import { controls } from './theme.ts';

const shownOwners = 50;

/** What is known of one block of the map, or of the blocks that share a cell. */
export class BlockDetails extends LitElement {
  static override properties = {
    snapshot: { attribute: false },
    actions: { attribute: false },
    map: { attribute: false },
    slots: { attribute: false },
    kept: { attribute: false },
    tick: { state: true },
  };
  declare snapshot: Snapshot | undefined;
  declare actions: InspectorActions;
  declare map: CellMap | undefined;
  declare slots: CellSlots;
  /** It stays until it is let go. */
  declare kept: boolean;
  declare protected tick: number;

  readonly #tables = new Map<number, BlockTable | 'asked' | 'not here'>();
  #reverse: ReverseMap | undefined;
  #statesVersion = -1;

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        overflow: auto;
        padding: 8px;
      }
      h3 {
        display: flex;
        align-items: center;
        gap: 6px;
        height: 22px;
        margin: 0 0 4px;
        font-size: 12px;
        font-weight: 600;
      }
      h3 > span {
        flex: 1;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .swatch {
        flex: none;
        width: 10px;
        height: 10px;
        border-radius: 2px;
      }
      dt {
        min-width: 52px;
      }
      ul {
        margin: 8px 0 0;
        padding: 6px 0 0;
        border-top: 1px solid var(--line);
        list-style: none;
      }
      li > button {
        display: block;
        width: 100%;
        padding: 0 4px;
        overflow: hidden;
        text-overflow: ellipsis;
        text-align: left;
      }
      p {
        margin: 0;
      }
      p + p {
        margin-top: 6px;
      }
    `,
  ];

  constructor() {
    super();
    this.snapshot = undefined;
    this.map = undefined;
    this.slots = undefined;
    this.kept = false;
    this.tick = 0;
  }

  protected override willUpdate(changed: PropertyValues): void {
    const { snapshot } = this;
    if (!snapshot) return;
    if (changed.has('snapshot') && this.#reverse?.tree !== snapshot.image) {
      this.#tables.clear();
      this.#reverse = undefined;
      this.#prepare(snapshot);
    }
    if (snapshot.statesVersion === this.#statesVersion) return;
    this.#statesVersion = snapshot.statesVersion;
    // With the first block of a blob comes its table.
    for (const [blob, table] of this.#tables) if (table === 'not here') this.#tables.delete(blob);
  }

  override render() {
    const { snapshot, map, slots } = this;
    if (!snapshot || !map || !slots || slots.end > map.length)
      return html`<p class="soft">Point at a block, or move there with the arrow keys; click or Enter keeps it here.</p>
        <p class="soft">Ctrl + wheel or + and − zoom, 0 fits everything.</p>`;
    return slots.end - slots.start === 1
      ? this.#one(snapshot, map.blockAt(slots.start))
      : this.#many(snapshot, map, slots);
  }

  #one(snapshot: Snapshot, index: number) {
    const place = snapshot.space.placeOf(index);
    if (!place) return nothing;
    const byte = snapshot.states[index]!;
    const { word, colour } = blockStateWords[byte & (pinnedFlag - 1)]!;
    const record = snapshot.space.blobs[place.blob]!;
    const table = this.#table(place.blob);
    const facts = typeof table === 'object' ? blockFacts(table, place.block) : undefined;
    const unknown = html`<span class="soft">${table === 'not here' ? 'in the blob’s table, not here yet' : '…'}</span>`;
    const owned = this.#reverse ? ownersOf(this.#reverse, place, shownOwners) : undefined;
    return html`
      ${this.#head(`Block ${formatCount(place.block)} of blob ${place.blob}`)}
      <dl>
        <dt>State</dt>
        <dd><span class="swatch" .style=${`display: inline-block; background: var(${colour})`}></span>
          ${word}${byte & pinnedFlag ? ', pinned' : ''}</dd>
        <dt>Stored</dt>
        <dd>${facts ? `${formatBytes(facts.end - facts.start)} (${facts.codec})` : unknown}</dd>
        <dt>Logical</dt>
        <dd>${facts ? formatBytes(facts.logicalLength) : unknown}</dd>
        <dt>Offset</dt>
        <dd>${facts ? `${formatCount(facts.start)} – ${formatCount(facts.end)}` : unknown}</dd>
        <dt>Digest</dt>
        <dd class="mono">${facts ? facts.digest : unknown}</dd>
        <dt>Blob</dt>
        <dd class="mono">${record.sha256}</dd>
      </dl>
      <ul aria-label="Paths that own it">
        ${
          owned
            ? owned.owners.map(
                ({ path, start, end }) => html`<li><button
                  class="plain"
                  title=${`${path}\nbytes ${formatCount(start)} – ${formatCount(end)}. Show in files`}
                  @click=${() => this.actions.show({ view: 'files', path })}
                >${path}</button></li>`,
              )
            : html`<li class="soft">Looking whose it is…</li>`
        }
        ${owned && owned.count > owned.owners.length ? html`<li class="soft">and ${owned.count - owned.owners.length} more</li>` : nothing}
        ${owned?.count === 0 ? html`<li class="soft">No file uses it.</li>` : nothing}
      </ul>`;
  }

  #many(snapshot: Snapshot, map: CellMap, { start, end }: NonNullable<CellSlots>) {
    const { byState } = countStates(snapshot.states, { start, end, blockAt: (slot) => map.blockAt(slot) });
    const band = map.bands[map.bandAt(start)]!;
    return html`
      ${this.#head(`${formatCount(end - start)} blocks of ${band.label}`)}
      <dl>
        <dt>Blocks</dt>
        <dd>${formatCount(start - band.start)} – ${formatCount(end - 1 - band.start)}</dd>
        ${blockStateWords.map(({ state, word, colour }) =>
          byState[state]
            ? html`<dt><span class="swatch" .style=${`display: inline-block; background: var(${colour})`}></span> ${word}</dt>
                <dd>${formatCount(byState[state]!)}</dd>`
            : nothing,
        )}
      </dl>
      <p class="soft">Zoom in to see each of them.</p>`;
  }

  #head(title: string) {
    const letGo = (): void => {
      this.dispatchEvent(new CustomEvent('let-go'));
    };
    return html`<h3><span title=${title}>${title}</span>
      ${this.kept ? html`<button class="plain" aria-label="Let go" title="Let go (Escape)" @click=${letGo}>✕</button>` : nothing}</h3>`;
  }

  #table(blob: number): BlockTable | 'asked' | 'not here' {
    const known = this.#tables.get(blob);
    if (known) return known;
    this.#tables.set(blob, 'asked');
    const tell = (table: BlockTable | 'not here'): void => {
      this.#tables.set(blob, table);
      this.tick += 1;
    };
    this.actions.blockTable(blob).then(
      (table) => tell(table ?? 'not here'),
      (error: unknown) => {
        console.info(`sluice: the table of blob ${blob} was not given`, error);
        tell('not here');
      },
    );
    return 'asked';
  }

  /** The reverse map walks the whole tree: in a moment when nothing else is to be done, so that the first picture does not wait for it. */
  #prepare({ image }: Snapshot): void {
    const make = (): void => {
      if (this.snapshot?.image !== image || this.#reverse) return;
      this.#reverse = ReverseMap.of(image);
      this.tick += 1;
    };
    if ('requestIdleCallback' in globalThis) requestIdleCallback(make, { timeout: 2000 });
    else setTimeout(make, 200);
  }
}
