import { html, nothing, type PropertyValues } from 'lit';
import { formatBytes, formatCount } from '../../format/quantity.ts';
import {
  type FileColumn,
  type FileQuery,
  type FileRow,
  FileRows,
  presentShare,
  queryFiles,
} from '../model/file-rows.ts';
import { rowByKey } from '../model/list-keys.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { askToEvict } from './ask-to-evict.ts';
import { filesViewStyles, rowHeight } from './files-view-styles.ts';
import { presenceBar, tags } from './mark-styles.ts';
import { controls } from './theme.ts';
import { ViewElement } from './view-element.ts';

/** Rows beyond what is seen, so that a scroll shows no gap before the next frame. */
const spare = 8;

const columns: readonly { readonly id: FileColumn; readonly title: string; readonly hint: string }[] = [
  { id: 'path', title: 'Path', hint: 'Path in the app' },
  { id: 'size', title: 'Size', hint: 'Bytes of the file' },
  { id: 'present', title: 'Present', hint: 'How many of its blocks are here' },
  { id: 'reads', title: 'Reads', hint: 'Reads of its blocks in the read log' },
  { id: 'order', title: 'First', hint: 'Its place in the order of first reads' },
  { id: 'waitedMs', title: 'Waited', hint: 'How long its readers waited, together' },
];

/** Every file, published or made at run time, and how it fares. */
export class FilesView extends ViewElement {
  static override properties = {
    query: { state: true },
    chosen: { state: true },
    top: { state: true },
    height: { state: true },
  };
  declare protected query: FileQuery;
  /** A path. */
  declare protected chosen: string | undefined;
  declare protected top: number;
  declare protected height: number;

  #files: FileRows | undefined;
  #image: Snapshot['image'] | undefined;
  #all: readonly FileRow[] = [];
  #rows: readonly FileRow[] = [];
  readonly #resizes = new ResizeObserver(([entry]) => {
    if (entry) this.height = entry.contentRect.height;
  });

  static override styles = [controls, presenceBar, tags, filesViewStyles];

  constructor() {
    super();
    this.query = { text: '', only: 'all', column: 'path', isDescending: false };
    this.chosen = undefined;
    this.top = 0;
    this.height = 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.#resizes.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resizes.disconnect();
  }

  protected override firstUpdated(): void {
    this.#resizes.observe(this);
  }

  protected override willUpdate(changed: PropertyValues): void {
    const { snapshot, target } = this;
    if (!snapshot) return;
    if (this.#image !== snapshot.image) {
      this.#image = snapshot.image;
      this.#files = new FileRows(snapshot.image, snapshot.space);
    }
    if (changed.has('target') && target?.view === 'files') {
      this.chosen = target.path;
      this.query = { ...this.query, text: '', only: 'all' };
    }
    const all = this.#files!.rows(snapshot);
    if (all !== this.#all || changed.has('query')) this.#rows = queryFiles(all, this.query);
    this.#all = all;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('target') && this.target?.view === 'files') this.#reveal(this.#at());
  }

  override render() {
    if (!this.snapshot) return html`<div class="empty"><p>Nothing is known of the files yet.</p></div>`;
    return html`${this.#toolbar()}
      <div
        class="scroller"
        role="grid"
        tabindex="0"
        aria-label="Files"
        aria-rowcount=${this.#rows.length + 1}
        aria-activedescendant=${this.chosen === undefined ? nothing : 'chosen'}
        @scroll=${(event: Event) => {
          this.top = (event.target as HTMLElement).scrollTop;
        }}
        @keydown=${this.#onKey}
      >
        <div class="row head" role="row" aria-rowindex="1">${columns.map((column) => this.#head(column))}</div>
        <div class="body" role="rowgroup" .style=${`height: ${this.#rows.length * rowHeight}px`}>${this.#body()}</div>
        ${this.#rows.length === 0 ? html`<div class="empty"><p>No file is like that.</p></div>` : nothing}
      </div>`;
  }

  #toolbar() {
    const row = this.chosen === undefined ? undefined : this.#all.find(({ path }) => path === this.chosen);
    const paths = row ? [row.path] : [];
    // Of a file that was made here there is no other copy: it is neither culled nor evicted, nor in the map of what is published.
    const isPublished = row !== undefined && !row.isMade;
    const { actions } = this;
    return html`<div class="toolbar" role="toolbar" aria-label="Files">
      <input
        type="search"
        placeholder="Filter"
        aria-label="Filter by path"
        .value=${this.query.text}
        @input=${(event: Event) => this.#ask({ text: (event.target as HTMLInputElement).value })}
      />
      <select
        aria-label="Which files"
        .value=${this.query.only}
        @change=${(event: Event) => this.#ask({ only: (event.target as HTMLSelectElement).value as FileQuery['only'] })}
      >
        <option value="all">all</option>
        <option value="incomplete">incomplete</option>
        <option value="read">read</option>
        <option value="waited">waited for</option>
        <option value="made">made at run time</option>
      </select>
      <span class="soft" role="status">${formatCount(this.#rows.length)} of ${formatCount(this.#all.length)}</span>
      <span class="gap"></span>
      <button ?disabled=${!row} title="Fetch it now, as if somebody waited for it" @click=${() => actions.prefetch(paths)}>Prefetch</button>
      <button
        ?disabled=${!isPublished}
        aria-pressed=${row?.isPinned ?? false}
        title="Keep its blobs from being culled"
        @click=${() => actions.pin(paths, !row!.isPinned)}
      >Pin</button>
      <button ?disabled=${!isPublished} title="Give its local space back" @click=${() => askToEvict(this.renderRoot as ShadowRoot, actions, row!.path)}>Evict…</button>
      <button ?disabled=${!isPublished} title="Show its blocks (Enter)" @click=${() => this.#showInMap()}>Show in map</button>
    </div>`;
  }

  #head({ id, title, hint }: (typeof columns)[number]) {
    const { column, isDescending } = this.query;
    const isSorted = id === column;
    const sort = isSorted ? (isDescending ? 'descending' : 'ascending') : 'none';
    return html`<div role="columnheader" aria-sort=${sort} class=${`${id} ${id === 'path' || id === 'present' ? '' : 'number'}`} .style=${'direction: ltr'}>
      <button
        tabindex="-1"
        title=${hint}
        @click=${() => this.#ask({ column: id, isDescending: isSorted ? !isDescending : id !== 'path' && id !== 'order' })}
      >${title}${isSorted ? (isDescending ? ' ▾' : ' ▴') : ''}</button>
    </div>`;
  }

  #body() {
    const first = Math.max(0, Math.floor(this.top / rowHeight) - spare);
    const end = Math.min(this.#rows.length, Math.ceil((this.top + this.height) / rowHeight) + spare);
    return this.#rows.slice(first, end).map((row, i) => this.#row(row, first + i));
  }

  #row(row: FileRow, at: number) {
    const { path, size, reads, order, waitedMs, isPinned, isMade } = row;
    const isChosen = path === this.chosen;
    const share = Math.floor(presentShare(row) * 100);
    return html`<div
      class=${at % 2 ? 'row odd' : 'row'}
      role="row"
      id=${isChosen ? 'chosen' : nothing}
      aria-rowindex=${at + 2}
      aria-selected=${isChosen}
      .style=${`top: ${at * rowHeight}px`}
      @click=${() => {
        this.chosen = path;
      }}
      @dblclick=${() => this.#showInMap()}
    >
      <div role="gridcell" class="path" title=${isMade ? `${path}, made at run time` : path}><bdi>${path}</bdi>${isMade ? html` <span class="tag" dir="ltr">made here</span>` : nothing}</div>
      <div role="gridcell" class="size number">${formatBytes(size)}</div>
      <div role="gridcell" class="present" aria-label=${`${share} % present${isPinned ? ', pinned' : ''}`}>
        <div class="presence"><i .style=${`width: ${share}%`}></i></div><span>${share} %</span>
      </div>
      <div role="gridcell" class="reads number">${reads || nothing}</div>
      <div role="gridcell" class="order number">${order ?? nothing}</div>
      <div role="gridcell" class="waitedMs number">${waitedMs > 0 ? `${formatCount(Math.round(waitedMs))} ms` : nothing}</div>
    </div>`;
  }

  #ask(query: Partial<FileQuery>): void {
    this.query = { ...this.query, ...query };
  }

  #at(): number {
    return this.#rows.findIndex(({ path }) => path === this.chosen);
  }

  #reveal(at: number): void {
    const scroller = this.renderRoot.querySelector('.scroller');
    if (!scroller || at < 0) return;
    const top = at * rowHeight;
    const room = scroller.clientHeight - rowHeight;
    if (top < scroller.scrollTop || top + rowHeight > scroller.scrollTop + room)
      scroller.scrollTop = Math.max(0, top - room / 2);
  }

  #showInMap(): void {
    const row = this.#all.find(({ path }) => path === this.chosen);
    if (row && !row.isMade) this.actions.show({ view: 'map', path: row.path });
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget) return;
    if (event.key === 'Enter') this.#showInMap();
    else {
      const page = Math.max(1, Math.floor(this.height / rowHeight) - 3);
      const next = rowByKey(event.key, this.#at(), this.#rows.length, page);
      if (next === undefined) return;
      this.chosen = this.#rows[next]!.path;
      this.#reveal(next);
    }
    event.preventDefault();
  };
}
