import { css, html, nothing, type TemplateResult } from 'lit';
import { formatBytes, formatShare } from '../../format/quantity.ts';
import { type StoragePart, storageParts, useLimits } from '../model/storage-parts.ts';
import { type Column, DataTable } from './data-table.ts';
import { figure } from './figure.ts';
import { controls } from './theme.ts';
import { ViewElement } from './view-element.ts';
import { sections } from './view-styles.ts';

type NextBlob = { readonly sha256: string; readonly bytes: number };

const nextColumns: readonly Column<NextBlob>[] = [
  {
    key: 'blob',
    title: 'Blob',
    value: ({ sha256 }) => sha256,
    cell: ({ sha256 }) => html`<code>${sha256}</code>`,
  },
  {
    key: 'bytes',
    title: 'Gives back',
    width: '92px',
    isNumber: true,
    value: ({ bytes }) => bytes,
    cell: ({ bytes }) => formatBytes(bytes),
  },
];

/** What the store takes of the origin's quota, and what would go when it gets narrow. */
export class StorageView extends ViewElement {
  static override styles = [
    controls,
    sections,
    css`
      .quota {
        position: relative;
        height: 14px;
        margin: 4px 0 22px;
        border: 1px solid var(--line);
        border-radius: 3px;
        background: var(--bg);
      }
      .quota > .used {
        height: 100%;
        min-width: 2px;
        border-radius: 2px 0 0 2px;
        background: var(--accent);
      }
      .limit {
        position: absolute;
        top: -3px;
        bottom: -3px;
        border-left: 2px solid var(--warn);
      }
      .limit.stop {
        border-left-color: var(--bad);
      }
      .limit > span {
        position: absolute;
        top: 18px;
        right: -10px;
        padding-right: 2px;
        font-size: 11px;
        color: var(--soft);
        white-space: nowrap;
      }
      .limit.stop > span {
        right: -12px;
      }
      .limit.run > span {
        right: -2px;
      }
      .parts {
        display: flex;
        gap: 1px;
        height: 18px;
        margin-bottom: 8px;
        border-radius: 3px;
        overflow: hidden;
        background: var(--line);
      }
      .part {
        min-width: 3px;
      }
      .part,
      .swatch {
        background: var(--block-sealed);
      }
      .swatch {
        display: inline-block;
        width: 10px;
        height: 10px;
        margin-right: 8px;
        border-radius: 2px;
        vertical-align: -1px;
      }
      .other {
        background: repeating-linear-gradient(-45deg, var(--block-present) 0 4px, color-mix(in srgb, var(--block-present) 65%, var(--bg)) 4px 6px);
      }
      .journal {
        background: var(--block-pending);
      }
      .copies {
        background: var(--block-in-flight);
      }
      .rest {
        background: repeating-linear-gradient(90deg, var(--kind-background) 0 2px, transparent 2px 5px) var(--bg);
        box-shadow: inset 0 0 0 1px var(--kind-background);
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(230px, 1fr));
        gap: 2px 24px;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
      }
      li > .name {
        flex: 1;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      li > .share {
        width: 44px;
        text-align: right;
        color: var(--soft);
      }
    `,
  ];

  constructor() {
    super();
    DataTable.define();
  }

  override render() {
    if (!this.snapshot) return nothing;
    const { inspection } = this.snapshot;
    const { storage, state } = inspection;
    const { room } = storage;
    const isMemory = storage.kind === 'memory';
    const persisted = room?.persisted === undefined ? 'not told' : room.persisted ? 'yes' : 'no';
    return html`
      <section aria-label="Now">
        <div class="figures">
          ${figure('Used by the origin', room ? formatBytes(room.usage) : 'not told', room ? `of ${formatBytes(room.quota)}` : 'by this browser')}
          ${figure('Free', room ? formatBytes(room.quota - room.usage) : '–', room ? formatShare(room.quota - room.usage, room.quota) : '')}
          ${figure('This image', formatBytes(state.bytes.present), `of ${formatBytes(state.bytes.total)}`)}
          ${figure('Journal', formatBytes(storage.journalBytes), 'what is here, durably')}
          ${figure('Kept in', html`<span class=${isMemory ? 'warn' : ''}>${isMemory ? 'memory' : 'OPFS'}</span>`, isMemory ? 'gone with the last tab' : 'stays when tabs close')}
          ${figure('Persisted', persisted, room?.persisted ? 'until the visitor clears it' : 'the browser may clear it')}
        </div>
      </section>
      ${this.#quota()} ${this.#parts(storageParts(inspection))}
      <section>
        <h2>What would go next <span class="soft">were space needed now: sealed, not pinned, of no image in use</span></h2>
        ${
          storage.next.length === 0
            ? html`<p class="soft">Nothing: all that is stored is in use, pinned, or not whole.</p>`
            : html`<sluice-data-table label="Blobs that would be given back next" .columns=${nextColumns} .rows=${storage.next} .keyOf=${(blob: NextBlob) => blob.sha256}></sluice-data-table>`
        }
      </section>
    `;
  }

  #quota(): TemplateResult | typeof nothing {
    const { storage } = this.snapshot!.inspection;
    const { room } = storage;
    if (!room) return nothing;
    const limits = useLimits(storage);
    const share = (bytes: number): string => `${Math.min(100, (bytes / room.quota) * 100)}%`;
    const told = limits.map(({ name, use }) => `${name} at ${formatBytes(use)}`).join(', ');
    return html`<section>
      <h2>Of the quota <span class="soft">${formatShare(room.usage, room.quota)} used</span></h2>
      <div class="quota" role="img" aria-label=${`${formatBytes(room.usage)} of ${formatBytes(room.quota)} used; limits: ${told}`}>
        <div class="used" .style=${`width: ${share(room.usage)}`}></div>
        ${limits.map(({ name, use }) => html`<div class=${`limit ${name}`} .style=${`left: ${share(use)}`}>${name === 'cull' ? nothing : html`<span>${name}</span>`}</div>`)}
      </div>
      <dl>${limits.map(({ name, meaning, use }) => html`<dt>${name}, ${formatBytes(use)}</dt><dd class="soft">${meaning}</dd>`)}</dl>
    </section>`;
  }

  #parts(parts: readonly StoragePart[]): TemplateResult | typeof nothing {
    const all = parts.reduce((sum, { bytes }) => sum + bytes, 0);
    if (all === 0) return nothing;
    return html`<section>
      <h2>What is used <span class="soft">${formatBytes(all)}; blobs that images share are counted with each</span></h2>
      <div class="parts" role="presentation">
        ${parts.map(({ kind, name, bytes }) => html`<div class=${`part ${kind}`} title=${`${name}: ${formatBytes(bytes)}`} .style=${`flex: ${bytes} 0 0`}></div>`)}
      </div>
      <ul>
        ${parts.map(
          ({ kind, name, bytes }) => html`<li>
            <span class="name"><i class=${`swatch ${kind}`}></i>${name}</span>
            <span>${formatBytes(bytes)}</span>
            <span class="share">${formatShare(bytes, all)}</span>
          </li>`,
        )}
      </ul>
    </section>`;
  }
}
