import { css, html, type TemplateResult } from 'lit';
import { formatAgo, formatBytes, formatCount, formatMs, formatNumberOf } from '../../format/quantity.ts';
import type { InspectedFetch, InspectedPage, InspectedTab } from '../../protocol/inspection.ts';
import { remedyOf } from '../model/failure-text.ts';
import { linkRate, shortDigest } from '../model/labels.ts';
import { transferHistory } from '../model/transfer-history.ts';
import { type Column, DataTable } from './data-table.ts';
import { figure, track } from './figure.ts';
import { sparkline } from './sparkline.ts';
import { controls } from './theme.ts';
import { ViewElement } from './view-element.ts';
import { sections } from './view-styles.ts';
import { phases } from './waterfall-styles.ts';

const health = {
  ok: { kind: 'good', text: 'ok', note: 'nobody waits for long' },
  blocked: { kind: 'warn', text: 'blocked', note: 'a read waits for over 2 s' },
  unhealthy: { kind: 'bad', text: 'unhealthy', note: 'a read waits for over 7 s' },
} as const;

const activity = {
  starting: 'opens store and image',
  demand: 'for somebody who waits',
  background: 'completes the image',
  launching: 'the rest waits for it',
  idle: 'nothing to bring',
  offline: 'looks again soon',
  'backing-off': 'a request failed',
} as const;

const queueNames = {
  demand: 'somebody waits',
  launch: 'a launch reads it',
  background: 'the rest',
} as const;

const tabColumns: readonly Column<InspectedTab>[] = [
  {
    key: 'loader',
    title: 'Loader',
    value: ({ loader }) => loader,
    cell: ({ loader }) => html`<code>${loader}</code>`,
  },
  {
    key: 'page',
    title: 'Page',
    value: ({ isInspector, page }) => (isInspector ? 'an inspector' : page?.path),
    cell: ({ isInspector, page }) =>
      isInspector
        ? 'an inspector that looks into the store'
        : (page?.path ?? html`<span class="soft">–</span>`),
  },
  {
    key: 'seen',
    title: 'Seen',
    width: '76px',
    isExtra: true,
    value: ({ page }) => page && pageWords(page),
    cell: ({ page }) => (page ? pageWords(page) : html`<span class="soft">–</span>`),
  },
  {
    key: 'role',
    title: 'Role',
    width: '92px',
    value: ({ isLeader }) => (isLeader ? 'leads' : 'stands by'),
    cell: ({ isLeader }) => (isLeader ? html`<span class="tag good">leads</span>` : 'stands by'),
  },
  {
    key: 'image',
    title: 'Image',
    width: '108px',
    value: ({ image }) => image,
    cell: ({ image }) => html`<code>${shortDigest(image)}</code>`,
  },
];

function pageWords({ isVisible }: InspectedPage): string {
  return isVisible ? 'visible' : 'hidden';
}

/** How the loader fares: link, queue, requests under way, who leads. */
export class LoaderView extends ViewElement {
  static override styles = [
    controls,
    sections,
    phases,
    css`
      .sparkline {
        display: block;
        width: 100%;
        height: 44px;
        background: var(--bg);
        border: 1px solid var(--line);
        border-radius: 6px;
        margin-top: 8px;
      }
      .area {
        fill: color-mix(in srgb, var(--accent) 20%, transparent);
      }
      .line {
        fill: none;
        stroke: var(--accent);
        stroke-width: 1.5;
        vector-effect: non-scaling-stroke;
      }
      .queue {
        display: grid;
        grid-template-columns: 96px minmax(60px, 1fr) 92px;
        gap: 4px 12px;
        align-items: center;
      }
      .queue > .number {
        text-align: right;
      }
      .flights td {
        border: 0;
      }
      .flights td:first-child {
        padding-left: 0;
      }
      .flights td:last-child {
        padding-right: 0;
      }
      .flights {
        min-height: 88px;
      }
    `,
  ];

  constructor() {
    super();
    DataTable.define();
  }

  override render() {
    if (!this.snapshot) return html``;
    const { inspection, fetches } = this.snapshot;
    const { tabs, link, state, at } = inspection;
    const { loader } = state;
    const ok = health[loader.health];
    const history = transferHistory(fetches, at);
    const peak = `${formatBytes(history.peak)}/s`;
    return html`
      <section aria-label="Now">
        <div class="figures">
          ${figure('Activity', loader.activity, activity[loader.activity])}
          ${figure('Health', html`<i class=${`dot ${ok.kind}`}></i>${ok.text}`, ok.note)}
          ${figure('Coming in', `${formatBytes(history.now)}/s`, `at most ${peak}`)}
          ${figure('Link', linkRate(link.bytesPerSecond), 'measured')}
          ${figure('Round trip', link.latencyMs > 0 ? formatMs(link.latencyMs) : '–', 'to the first byte')}
          ${figure('Fetched', formatBytes(state.bytes.fetched), `in ${formatNumberOf(loader.requests, 'request')}`)}
          ${figure('Retries', formatCount(loader.retries), 'after a request failed')}
          ${figure('Errors', html`<span class=${loader.errors > 0 ? 'bad' : ''}>${formatCount(loader.errors)}</span>`, 'see the log of errors')}
        </div>
        ${sparkline(history, `Bytes that came in, last minute; at most ${peak}`)}
      </section>
      ${this.#lastError(at)}
      <section>
        <h2>Queue <span class="soft">missing blocks that no request brings yet</span></h2>
        <div class="queue">${this.#queue()}</div>
      </section>
      <section>
        <h2>Requests under way</h2>
        <div class="flights">${this.#flights(fetches.filter(({ ended }) => ended === undefined))}</div>
      </section>
      <section>
        <h2>Loaders <span class="soft">${formatNumberOf(tabs.length, 'loader')}: one leads, the others stand by</span></h2>
        <sluice-data-table
          label="Loaders"
          .columns=${tabColumns}
          .rows=${tabs}
          .keyOf=${(tab: InspectedTab) => `${tab.loader} ${tab.image}`}
        ></sluice-data-table>
      </section>
    `;
  }

  #lastError(at: number): TemplateResult {
    const { lastError } = this.snapshot!.inspection.state.loader;
    if (!lastError) return html``;
    return html`<section>
      <h2>Last error <code class="bad">${lastError.code}</code> <span class="soft">${formatAgo(at - lastError.at)}</span></h2>
      <p>${lastError.message}</p>
      <p class="soft">${remedyOf(lastError.code)}</p>
    </section>`;
  }

  #queue(): TemplateResult[] {
    const { queue, state } = this.snapshot!.inspection;
    const missing = Math.max(1, state.blocks.total - state.blocks.present);
    return queue.map(
      ({ kind, blocks }) => html`<span title=${queueNames[kind]}><i class=${`kind ${kind}`}></i>${kind}</span>
        ${track(blocks / missing, `${blocks} of ${missing} missing blocks`, kind)}
        <span class="number">${formatNumberOf(blocks, 'block')}</span>`,
    );
  }

  #flights(fetches: readonly InspectedFetch[]): TemplateResult {
    if (fetches.length === 0) return html`<p class="soft">None.</p>`;
    const now = this.snapshot!.inspection.at;
    return html`<table aria-label="Requests under way">
      <tbody>
        ${fetches.map(({ blob, start, end, kind, bytes, sent, answered }) => {
          const length = Number.isFinite(end) ? end - start : 0;
          const share = length > 0 ? bytes / length : 0;
          return html`<tr>
            <td .style=${'width: 116px'}><i class=${`kind ${kind}`}></i>${kind}</td>
            <td .style=${'width: 76px'}>blob ${blob}</td>
            <td>${track(share, `${formatBytes(bytes)} of ${formatBytes(length)}`)}</td>
            <td class="number wide" .style=${'width: 150px'}>${formatBytes(bytes)} of ${formatBytes(length)}</td>
            <td class="number" .style=${'width: 92px'}>${answered === undefined ? 'asked ' : ''}${formatMs(now - sent)}</td>
          </tr>`;
        })}
      </tbody>
    </table>`;
  }
}
