import { css, html, nothing, type TemplateResult } from 'lit';
import { formatAgo, formatClock, formatNumberOf } from '../../format/quantity.ts';
import type { InspectedError } from '../../protocol/inspection.ts';
import { remedyOf } from '../model/failure-text.ts';
import { formatBlock } from '../model/labels.ts';
import { type Column, DataTable } from './data-table.ts';
import { controls } from './theme.ts';
import { ViewElement } from './view-element.ts';
import { sections } from './view-styles.ts';

const columns: readonly Column<InspectedError>[] = [
  { key: 'at', title: 'Time', width: '100px', value: ({ at }) => at, cell: ({ at }) => formatClock(at) },
  {
    key: 'code',
    title: 'Code',
    width: '112px',
    value: ({ code }) => code,
    cell: ({ code }) => html`<code class="bad">${code}</code>`,
  },
  { key: 'message', title: 'What happened', value: ({ message }) => message },
  { key: 'remedy', title: 'What to do', width: '38%', isExtra: true, value: ({ code }) => remedyOf(code) },
];

/** What went wrong, newest first, and what to do about it. */
export class ErrorsView extends ViewElement {
  static override properties = { chosen: { state: true } };
  /** Its serial. */
  declare protected chosen: number | undefined;

  static override styles = [
    controls,
    sections,
    css`
      :host {
        display: flex;
        flex-direction: column;
        overflow: hidden !important;
        background: var(--bg);
      }
      .log {
        flex: 1;
        min-height: 0;
        overflow: auto;
      }
      .more {
        flex: none;
        min-height: 96px;
        max-height: 50%;
        overflow: auto;
        padding: 8px 12px;
        border-top: 1px solid var(--line);
      }
      .more p {
        overflow-wrap: anywhere;
      }
    `,
  ];

  constructor() {
    super();
    DataTable.define();
  }

  override render() {
    if (!this.snapshot) return nothing;
    const { errors, inspection } = this.snapshot;
    const { lastReadError } = inspection.state.loader;
    if (errors.length === 0 && !lastReadError)
      return html`<div class="empty"><p>Nothing has gone wrong.</p><p>What the loader had to meet since it began to lead is listed here: failed requests, wrong bytes, a full disk.</p></div>`;
    const rows = errors.toReversed();
    const chosen = errors.find(({ serial }) => serial === this.chosen) ?? errors.at(-1);
    return html`
      <div class="toolbar">
        <span>${formatNumberOf(errors.length, 'error')}</span>
        ${
          lastReadError
            ? html`<span class="rule"></span><span>Last read that failed: <code class="bad">${lastReadError.code}</code> ${lastReadError.path || '/'}
              <span class="soft">${formatBlock(lastReadError.block.blob, lastReadError.block.index)}, ${formatAgo(inspection.at - lastReadError.at)}</span></span>`
            : nothing
        }
      </div>
      <div class="log">
        <sluice-data-table
          label="Errors"
          .columns=${columns}
          .rows=${rows}
          .keyOf=${({ serial }: InspectedError) => String(serial)}
          @choose=${({ detail }: CustomEvent<number>) => {
            this.chosen = rows[detail]?.serial;
          }}
        ></sluice-data-table>
      </div>
      ${chosen ? this.#more(chosen) : nothing}
    `;
  }

  #more({ code, message, at }: InspectedError): TemplateResult {
    return html`<div class="more" role="region" aria-label="The chosen error">
      <h2><code class="bad">${code}</code> <span class="soft">${formatClock(at)}</span></h2>
      <p>${message}</p>
      <p><b>What to do:</b> ${remedyOf(code) ?? 'This panel does not know the code: it is older than the loader.'}</p>
    </div>`;
  }
}
