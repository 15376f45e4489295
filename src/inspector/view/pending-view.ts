import { css, html } from 'lit';
import { formatMs } from '../../format/quantity.ts';
import type { InspectedPending } from '../../protocol/inspection.ts';
import { formatBlock } from '../model/labels.ts';
import { type Column, DataTable } from './data-table.ts';
import { track } from './figure.ts';
import { controls } from './theme.ts';
import { ViewElement } from './view-element.ts';
import { sections } from './view-styles.ts';

const doing: Readonly<Record<InspectedPending['doing'], string>> = {
  queued: 'its turn comes',
  fetching: 'a request brings it',
  'backing-off': 'asked for again soon',
  paused: 'paused by the inspector',
};

const columns: readonly Column<InspectedPending>[] = [
  {
    key: 'serial',
    title: 'Serial',
    width: '152px',
    isNumber: true,
    isExtra: true,
    value: ({ serial }) => serial,
  },
  { key: 'path', title: 'Path', value: ({ path }) => path },
  {
    key: 'block',
    title: 'Block',
    width: '76px',
    isNumber: true,
    value: ({ block }) => block.blob * 2 ** 24 + block.index,
    cell: ({ block }) => formatBlock(block.blob, block.index),
  },
  {
    key: 'age',
    title: 'Waits for',
    width: '86px',
    isNumber: true,
    value: ({ ageMs }) => ageMs,
    cell: ({ ageMs }) => html`<span class=${ageClass(ageMs)}>${formatMs(ageMs)}</span>`,
  },
  {
    key: 'bar',
    title: 'of its time',
    width: '110px',
    isExtra: true,
    value: ({ ageMs, deadlineMs }) => ageMs / (ageMs + Math.max(deadlineMs, 1)),
    cell: ({ ageMs, deadlineMs }) =>
      track(ageMs / (ageMs + Math.max(deadlineMs, 1)), `${formatMs(deadlineMs)} are left`, ageClass(ageMs)),
  },
  {
    key: 'deadline',
    title: 'Left',
    width: '68px',
    isNumber: true,
    value: ({ deadlineMs }) => deadlineMs,
    cell: ({ deadlineMs }) => formatMs(Math.max(0, deadlineMs)),
  },
  {
    key: 'waiters',
    title: 'Who waits',
    width: '92px',
    isNumber: true,
    isExtra: true,
    value: ({ waiters }) => waiters,
  },
  {
    key: 'doing',
    title: 'What is done',
    width: '196px',
    isExtra: true,
    value: (row) => doing[row.doing],
    cell: ({ doing: what, fetch, retries }) =>
      html`<i class=${`dot ${what === 'fetching' ? 'good' : what === 'queued' ? '' : 'warn'}`}></i>${doing[what]}${
        fetch === undefined ? '' : ` (${fetch})`
      }${retries > 0 ? html`, <span class="warn">${retries}×</span>` : ''}`,
  },
];

/** The reads that wait now. */
export class PendingView extends ViewElement {
  static override styles = [
    controls,
    sections,
    css`
      :host {
        background: var(--bg);
      }
    `,
  ];

  constructor() {
    super();
    DataTable.define();
  }

  override render() {
    const pending = this.snapshot?.inspection.pending ?? [];
    if (pending.length === 0)
      return html`<div class="empty"><p>Nothing waits.</p><p>A read whose block is missing is listed here until the block has come.</p></div>`;
    return html`<sluice-data-table
      label="Pending reads"
      .columns=${columns}
      .rows=${pending}
      .keyOf=${({ serial }: InspectedPending) => String(serial)}
    ></sluice-data-table>`;
  }
}

/** As Incremental FS tells health. */
function ageClass(ageMs: number): string {
  return ageMs > 7000 ? 'bad' : ageMs > 2000 ? 'warn' : '';
}
