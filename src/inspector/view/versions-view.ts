import { css, html, nothing } from 'lit';
import { formatAgo, formatBytes, formatShare } from '../../format/quantity.ts';
import type { InspectedVersion } from '../../protocol/inspection.ts';
import { imageUsers } from '../model/image-users.ts';
import { type Column, DataTable } from './data-table.ts';
import { controls } from './theme.ts';
import { ViewElement } from './view-element.ts';
import { sections } from './view-styles.ts';

/** The images that are stored or mounted, and who uses them. */
export class VersionsView extends ViewElement {
  static override styles = [
    controls,
    sections,
    css`
      :host {
        background: var(--bg);
      }
      p {
        padding: 8px 12px;
        max-width: 90ch;
      }
    `,
  ];

  constructor() {
    super();
    DataTable.define();
  }

  override render() {
    if (!this.snapshot) return nothing;
    const { versions } = this.snapshot.inspection;
    return html`<sluice-data-table
        label="Versions"
        .columns=${this.#columns()}
        .rows=${versions}
        .keyOf=${({ image }: InspectedVersion) => image}
      ></sluice-data-table>
      <p class="soft">A tab stays with the version that it was started with; the next navigation gets the newest. What no tab uses is given back when space is needed. Sizes count blobs that versions share with each of them.</p>`;
  }

  #columns(): readonly Column<InspectedVersion>[] {
    const { tabs, state, at } = this.snapshot!.inspection;
    return [
      {
        key: 'image',
        title: 'Image',
        value: ({ image }) => image,
        cell: ({ image }) => html`<code>${image}</code>`,
      },
      {
        key: 'shown',
        title: '',
        width: '96px',
        value: ({ image }) => image === state.image,
        cell: ({ image }) => (image === state.image ? html`<span class="tag good">shown here</span>` : ''),
        isExtra: true,
      },
      {
        key: 'use',
        title: 'Used by',
        width: '84px',
        value: ({ image }) => imageUsers(image, tabs),
        cell: ({ image }) => imageUsers(image, tabs) ?? html`<span class="soft">nobody</span>`,
      },
      {
        key: 'kept',
        title: 'Kept',
        width: '92px',
        isExtra: true,
        value: ({ isStored }) => (isStored ? 'in the store' : 'mounted only'),
      },
      {
        key: 'here',
        title: 'Here',
        width: '76px',
        isNumber: true,
        value: ({ stored }) => stored && stored.present / stored.total,
        cell: ({ stored }) => (stored ? formatShare(stored.present, stored.total) : '–'),
      },
      {
        key: 'bytes',
        title: 'Size here',
        width: '80px',
        isNumber: true,
        value: ({ bytes }) => bytes,
        cell: ({ bytes }) => formatBytes(bytes),
      },
      {
        key: 'used',
        title: 'Last used',
        width: '96px',
        isNumber: true,
        value: ({ lastUsed }) => lastUsed,
        cell: ({ lastUsed, inUse }) =>
          inUse ? 'now' : lastUsed === undefined ? '–' : formatAgo(at - lastUsed),
      },
    ];
  }
}
