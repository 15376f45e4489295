import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { formatMs } from '../../format/quantity.ts';
import type { NavigationMark } from '../home.ts';
import { failureText } from '../model/failure-text.ts';
import { type LaunchFilter, type LaunchPicture, launchPicture } from '../model/launch-picture.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { type WaterfallRow, waterfallRows } from '../model/waterfall-rows.ts';
import { type TimeSpan, zoomed } from '../model/waterfall-span.ts';
import { type WaterfallTotals, waterfallTotals } from '../model/waterfall-totals.ts';
import { buttonGroup } from './button-group.ts';
import { launchTotals } from './launch-totals.ts';
import { launchViewStyles } from './launch-view-styles.ts';
import { controls } from './theme.ts';
import { ViewElement } from './view-element.ts';
import { detailsPane, factsOf, legend, stepsOf } from './waterfall-details.ts';
import { WaterfallList } from './waterfall-list.ts';
import { WaterfallOverview } from './waterfall-overview.ts';
import { phases } from './waterfall-styles.ts';

/** Of no matter for what is drawn. */
const passing: ReadonlySet<PropertyKey> = new Set([
  'snapshot',
  'span',
  'pointed',
  'problem',
  'chosen',
  'target',
]);

/** Marks change while a page loads; then they are settled. */
const marksMs = 2000;

/** The launch: every read and every request on one axis of time. */
export class LaunchView extends ViewElement {
  static override properties = {
    shown: { state: true },
    waitedOnly: { state: true },
    filter: { state: true },
    span: { state: true },
    chosen: { state: true },
    pointed: { state: true },
    byDuration: { state: true },
    pageMarks: { state: true },
    problem: { state: true },
  };
  declare protected shown: LaunchFilter['shown'];
  declare protected waitedOnly: boolean;
  declare protected filter: string;
  /** `launch` and `all` follow what comes. */
  declare protected span: TimeSpan | 'launch' | 'all';
  declare protected chosen: string | undefined;
  declare protected pointed:
    | { readonly row: WaterfallRow; readonly x: number; readonly y: number }
    | undefined;
  declare protected byDuration: boolean;
  declare protected pageMarks: readonly NavigationMark[];
  /** Why the marks are not known. */
  declare protected problem: string | undefined;
  /** Of the newest snapshot. */
  #rows: readonly WaterfallRow[] = [];
  #picture: LaunchPicture | undefined;
  #totals: WaterfallTotals | undefined;
  #marksAt = 0;

  static override styles = [controls, phases, buttonGroup, launchViewStyles];

  constructor() {
    super();
    WaterfallList.define();
    WaterfallOverview.define();
    this.shown = 'all';
    this.waitedOnly = false;
    this.filter = '';
    this.span = 'launch';
    this.byDuration = false;
    this.pageMarks = [];
  }

  protected override willUpdate(changed: PropertyValues): void {
    const { snapshot } = this;
    if (changed.has('target') && this.target?.view === 'launch') {
      this.chosen = `r${this.target.read}`;
      // What is jumped to is to be seen.
      this.shown = 'all';
      this.waitedOnly = false;
      this.filter = '';
    }
    if (!snapshot) return;
    const { reads, fetches, inspection } = snapshot;
    const rowsBefore = this.#rows;
    if (changed.has('snapshot')) {
      const before: Snapshot | undefined = changed.get('snapshot');
      const isSame = before?.reads === reads && before.fetches === fetches;
      // What is under way grows.
      if (!isSame || fetches.some(({ ended }) => ended === undefined))
        this.#rows = waterfallRows(reads, fetches, inspection.at);
      if (inspection.at > this.#marksAt + marksMs) {
        this.#marksAt = inspection.at;
        void this.#askMarks();
      }
    }
    // Snapshots come often, and the pointer moves: mostly nothing of the picture is another one.
    const isAnother = this.#rows !== rowsBefore || [...changed.keys()].some((name) => !passing.has(name));
    if (isAnother) {
      this.#totals = waterfallTotals(reads, fetches);
      this.#picture = launchPicture(this.#rows, this.pageMarks, this.#filter());
    }
  }

  override render() {
    const picture = this.#picture;
    if (!this.snapshot || !picture)
      return html`${this.#toolbar()}<div class="empty"><p>No read and no request yet. What the app reads from now on is drawn here.</p></div>`;
    const { bounds, origin, marks, rows } = picture;
    const span =
      typeof this.span === 'string' ? { launch: picture.launch, all: bounds }[this.span] : this.span;
    const setSpan = (event: CustomEvent<TimeSpan>): void => {
      this.span = event.detail;
    };
    const row = this.#rows.find(({ key }) => key === this.chosen);
    return html`${this.#toolbar(span, bounds)} ${launchTotals(this.#totals!)}
      <sluice-waterfall-overview .rows=${this.#rows} .span=${span} .bounds=${bounds} @span=${setSpan}></sluice-waterfall-overview>
      <sluice-waterfall-list
        .rows=${rows}
        .span=${span}
        .bounds=${bounds}
        .origin=${origin}
        .marks=${marks}
        .chosen=${this.chosen}
        .byDuration=${this.byDuration}
        @span=${setSpan}
        @sort=${this.#onSort}
        @choose=${this.#onChoose}
        @point=${this.#onPoint}
      ></sluice-waterfall-list>
      <div class="foot">
        ${legend()}
        <span class="gap"></span>
        ${marks.map(({ name, at }) => html`<span class=${name === 'last wait over' ? 'mark late' : 'mark'}>${name} <b>${formatMs(at - origin)}</b></span>`)}
        ${this.problem ? html`<span class="soft" title=${this.problem}>no marks of the page</span>` : nothing}
      </div>
      ${row ? detailsPane(row, origin, this.actions, () => this.#close()) : nothing} ${this.#tip(origin)}`;
  }

  #toolbar(span?: TimeSpan, bounds?: TimeSpan): TemplateResult {
    const kinds: readonly (readonly [LaunchFilter['shown'], string])[] = [
      ['all', 'All'],
      ['read', 'Reads'],
      ['fetch', 'Requests'],
    ];
    const zoom = (factor: number) => () => {
      if (span && bounds) this.span = zoomed(span, factor, (span.start + span.end) / 2, bounds);
    };
    return html`<div class="toolbar">
      <span class="group" role="group" aria-label="Rows">
        ${kinds.map(
          ([kind, name]) => html`<button
            aria-pressed=${kind === this.shown}
            @click=${() => {
              this.shown = kind;
            }}
          >${name}</button>`,
        )}
      </span>
      <label class="check"><input type="checkbox" .checked=${this.waitedOnly} @change=${this.#onWaitedOnly} />Waited only</label>
      <input type="search" placeholder="Filter paths" aria-label="Filter paths" .value=${this.filter} @input=${this.#onFilter} />
      <span class="gap"></span>
      <span class="group" role="group" aria-label="Time shown">
        <button aria-label="Zoom out" title="Zoom out (−)" ?disabled=${!span} @click=${zoom(2)}>−</button>
        <button aria-label="Zoom in" title="Zoom in (+, or Ctrl and wheel)" ?disabled=${!span} @click=${zoom(0.5)}>+</button>
        <button aria-pressed=${this.span === 'launch'} title="Until nothing begins for a while" @click=${() => {
          this.span = 'launch';
        }}>Launch</button>
        <button aria-pressed=${this.span === 'all'} title="All that is known" @click=${() => {
          this.span = 'all';
        }}>All time</button>
      </span>
    </div>`;
  }

  #filter(): LaunchFilter {
    const { shown, waitedOnly, filter: text, byDuration } = this;
    return { shown, waitedOnly, text, byDuration };
  }

  #tip(origin: number): TemplateResult | typeof nothing {
    const { pointed } = this;
    if (!pointed) return nothing;
    const { width, height, left, top } = this.getBoundingClientRect();
    const x = Math.max(4, Math.min(pointed.x - left + 14, width - 316));
    const y = pointed.y - top + 18;
    const place = y > height - 170 ? `bottom: ${height - y + 30}px` : `top: ${y}px`;
    return html`<div class="tip" .style=${`left: ${x}px; ${place}`}>${factsOf(pointed.row, origin)}${stepsOf(pointed.row)}</div>`;
  }

  #close(): void {
    this.chosen = undefined;
    this.renderRoot.querySelector<HTMLElement>('sluice-waterfall-list')?.focus();
  }

  async #askMarks(): Promise<void> {
    try {
      this.pageMarks = await this.actions.marks();
      this.problem = undefined;
    } catch (error) {
      this.problem = failureText(error);
    }
  }

  readonly #onChoose = ({ detail }: CustomEvent<string | undefined>): void => {
    this.chosen = detail;
  };

  readonly #onPoint = ({ detail }: CustomEvent<typeof this.pointed>): void => {
    this.pointed = detail ?? undefined;
  };

  readonly #onSort = (): void => {
    this.byDuration = !this.byDuration;
  };

  readonly #onWaitedOnly = (event: Event): void => {
    this.waitedOnly = (event.target as HTMLInputElement).checked;
  };

  readonly #onFilter = (event: Event): void => {
    this.filter = (event.target as HTMLInputElement).value;
  };
}
