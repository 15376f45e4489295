import { css, html, type TemplateResult } from 'lit';
import { type Counter, counters } from '../model/counters.ts';
import { controls } from './theme.ts';
import { ViewElement } from './view-element.ts';
import { sections } from './view-styles.ts';

/** Every figure there is, each with what it means. */
export class CountersView extends ViewElement {
  static override properties = { filter: { state: true } };
  declare protected filter: string;

  static override styles = [
    controls,
    sections,
    css`
      :host {
        background: var(--bg);
      }
      .toolbar {
        position: sticky;
        top: 0;
        z-index: 2;
      }
      dl {
        grid-template-columns: minmax(150px, 190px) 96px minmax(0, 1fr);
        gap: 0;
      }
      dt.group {
        grid-column: 1 / -1;
        padding: 8px 12px 3px;
        font-weight: 600;
        color: var(--ink);
      }
      .name,
      .value,
      .meaning {
        padding: 2px 12px;
        border-bottom: 1px solid color-mix(in srgb, var(--line) 55%, transparent);
      }
      .name {
        color: var(--ink);
        overflow-wrap: anywhere;
      }
      .value {
        text-align: right;
      }
      .meaning {
        color: var(--soft);
      }
      @container (max-width: 560px) {
        dl {
          grid-template-columns: minmax(0, 1fr) auto;
        }
        .name,
        .value {
          border: 0;
          padding-bottom: 0;
        }
        .meaning {
          grid-column: 1 / -1;
          padding-top: 0;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.filter = '';
  }

  override render() {
    const text = this.filter.trim().toLowerCase();
    const all = this.snapshot ? counters(this.snapshot.inspection) : [];
    const rows = all.filter(({ name, meaning }) => `${name} ${meaning}`.toLowerCase().includes(text));
    return html`<div class="toolbar">
        <input type="search" placeholder="Filter counters" aria-label="Filter counters" .value=${this.filter} @input=${this.#onFilter} />
      </div>
      ${
        rows.length === 0
          ? html`<div class="empty"><p>No counter is called so.</p></div>`
          : html`<dl>${rows.map((row, i) => counterRow(row, row.group !== rows[i - 1]?.group))}</dl>`
      }`;
  }

  readonly #onFilter = (event: Event): void => {
    this.filter = (event.target as HTMLInputElement).value;
  };
}

function counterRow({ group, name, value, meaning }: Counter, isFirst: boolean): TemplateResult {
  return html`${isFirst ? html`<dt class="group">${group}</dt>` : ''}
    <dt class="name"><code>${name}</code></dt>
    <dd class="value">${value}</dd>
    <dd class="meaning">${meaning}</dd>`;
}
