import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { rowByKey } from '../model/list-keys.ts';
import { type CellValue, sortedBy, type TableOrder, toggled } from '../model/table-order.ts';
import { controls } from './theme.ts';
import { sections } from './view-styles.ts';

export interface Column<T> {
  readonly key: string;
  readonly title: string;
  /** Of CSS, for table-layout: fixed; undefined: it takes what is left. */
  readonly width?: string;
  readonly isNumber?: boolean;
  /** Left out where there is little room. */
  readonly isExtra?: boolean;
  /** By which it is sorted; what is shown too, unless `cell` says otherwise. */
  readonly value: (row: T) => CellValue;
  readonly cell?: (row: T) => string | TemplateResult;
}

/**
 * A table of some hundred rows: a head that stays, sorting by any column (click, or Enter on a head), one row chosen by arrow keys, Home and End. Tells `choose` with the row's
 * index among `rows`.
 */
export class DataTable<T> extends LitElement {
  static override properties = {
    columns: { attribute: false },
    rows: { attribute: false },
    keyOf: { attribute: false },
    chosen: { attribute: false },
    order: { state: true },
    label: {},
  };
  declare columns: readonly Column<T>[];
  declare rows: readonly T[];
  declare keyOf: (row: T) => string;
  /** Key of the chosen row. */
  declare chosen: string | undefined;
  declare label: string;
  /** Undefined: as given. */
  declare order: TableOrder | undefined;

  static override styles = [
    controls,
    sections,
    css`
      :host {
        background: var(--bg);
      }
      th > button {
        display: block;
        width: 100%;
        height: 21px;
        padding: 0;
        border: 0;
        border-radius: 0;
        background: none;
        text-align: inherit;
        color: inherit;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      th > button:hover:not(:disabled) {
        background: none;
        color: var(--ink);
      }
      th > button::after {
        content: '';
        font-size: 9px;
        padding-left: 4px;
      }
      th[aria-sort='ascending'] > button::after {
        content: '▲';
      }
      th[aria-sort='descending'] > button::after {
        content: '▼';
      }
      tbody tr:focus-visible > td {
        background: var(--select);
      }
    `,
  ];

  /** Before it is written in a template. */
  static define(): void {
    if (!customElements.get('sluice-data-table')) customElements.define('sluice-data-table', DataTable);
  }

  constructor() {
    super();
    this.columns = [];
    this.rows = [];
    this.keyOf = String;
    this.label = '';
  }

  override render() {
    const rows = this.#sorted();
    const focused = rows.findIndex((row) => this.keyOf(row) === this.chosen);
    return html`<table role="grid" aria-label=${this.label} @keydown=${this.#onKey}>
      <thead><tr>${this.columns.map((column) => this.#head(column))}</tr></thead>
      <tbody>
        ${rows.map(
          (row, i) => html`<tr
            tabindex=${i === Math.max(focused, 0) ? 0 : -1}
            aria-selected=${this.keyOf(row) === this.chosen}
            data-key=${this.keyOf(row)}
            @click=${() => this.#choose(row)}
            @focus=${() => this.#choose(row)}
          >${this.columns.map((column) => cell(column, row))}</tr>`,
        )}
      </tbody>
    </table>`;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('rows') && !this.rows.some((row) => this.keyOf(row) === this.chosen))
      this.chosen = undefined;
  }

  #head({ key, title, width, isNumber, isExtra }: Column<T>): TemplateResult {
    const { order } = this;
    const sort = order?.key !== key ? 'none' : order.isDescending ? 'descending' : 'ascending';
    return html`<th
      scope="col"
      class=${`${isNumber ? 'number' : ''} ${isExtra ? 'wide' : ''}`}
      .style=${width ? `width: ${width}` : ''}
      aria-sort=${sort}
    ><button @click=${() => {
      this.order = toggled(order, key);
    }}>${title}</button></th>`;
  }

  #sorted(): readonly T[] {
    const { order, rows } = this;
    const column = this.columns.find(({ key }) => key === order?.key);
    return order && column ? sortedBy(rows, column.value, order.isDescending) : rows;
  }

  #choose(row: T): void {
    const key = this.keyOf(row);
    if (key === this.chosen) return;
    this.chosen = key;
    this.dispatchEvent(new CustomEvent('choose', { detail: this.rows.indexOf(row) }));
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const row = (event.target as Element).closest('tbody tr');
    if (!row) return;
    const all = [...this.renderRoot.querySelectorAll<HTMLElement>('tbody tr')];
    const at = all.indexOf(row as HTMLElement);
    const to = rowByKey(event.key, at, all.length);
    if (to === undefined) return;
    event.preventDefault();
    all[to]!.focus();
  };
}

function cell<T>({ isNumber, isExtra, value, cell: show }: Column<T>, row: T): TemplateResult {
  const plain = value(row);
  const title = typeof plain === 'string' ? plain : nothing;
  return html`<td class=${`${isNumber ? 'number' : ''} ${isExtra ? 'wide' : ''}`} title=${title}>${show ? show(row) : (plain ?? '')}</td>`;
}
