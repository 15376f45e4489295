import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { formatAgo, formatBytes, formatNumberOf, formatShare, percent } from '../../format/quantity.ts';
import type { InspectedTab, InspectedVersion } from '../../protocol/inspection.ts';
import { countTabs, imageUsers } from '../model/image-users.ts';
import { shortDigest } from '../model/labels.ts';
import { overviewTotals } from '../model/overview-totals.ts';
import type { SiteSummary } from '../service/overview-watch.ts';
import { presenceBar } from './mark-styles.ts';
import { overviewStyles } from './overview-styles.ts';
import { controls } from './theme.ts';
import { sections } from './view-styles.ts';

/** A site, or one of its images, that is to be looked at. */
export interface OverviewChoice {
  readonly scope: string;
  readonly image: string | undefined;
}

/** All sites of the origin, with their images and tabs. Tells `choose` with an {@link OverviewChoice}, and `close`. */
export class OverviewView extends LitElement {
  static override properties = {
    sites: { attribute: false },
    error: { attribute: false },
    current: { attribute: false },
  };
  /** undefined: not known yet. */
  declare sites: readonly SiteSummary[] | undefined;
  /** Why they are not known. */
  declare error: string | undefined;
  /** What is looked at now. */
  declare current: OverviewChoice | undefined;

  static override styles = [controls, presenceBar, sections, overviewStyles];

  static define(): void {
    if (!customElements.get('sluice-overview')) customElements.define('sluice-overview', OverviewView);
  }

  constructor() {
    super();
    this.addEventListener('keydown', this.#onKey);
  }

  override render() {
    const { sites, error } = this;
    return html`<div class="toolbar">
        <h1>All sites${sites?.[0] ? ` of ${new URL(sites[0].scope).host}` : ''}</h1>
        <span class="totals soft" role="status">${sites ? overviewTotals(sites) : 'Looking…'}</span>
        <span class="gap"></span>
        <button title="Back to what was shown (Esc)" @click=${this.#close}>Close</button>
      </div>
      <div>
        ${error ? html`<div class="empty"><p class="bad">${error}</p></div>` : nothing}
        ${sites?.map((site) => this.#site(site))}
        ${
          sites?.length === 0 && !error
            ? html`<div class="empty"><p>No site of this origin is open, and none is kept. Open an app that was published with <code>sluice build</code>.</p></div>`
            : nothing
        }
      </div>`;
  }

  #site({ scope, isOpen, tabs, versions, kind, error }: SiteSummary): TemplateResult {
    const { pathname: path } = new URL(scope);
    const isCurrent = scope === this.current?.scope;
    const count = countTabs(tabs);
    const users =
      count > 0 || tabs.length === 0 ? formatNumberOf(count, 'tab') : 'an inspector looks into it';
    return html`<section class=${isCurrent ? 'site current' : 'site'} aria-label=${path}>
      <header>
        <i class=${isOpen ? 'dot good' : 'dot'}></i>
        <h2>${this.#button({ scope, image: undefined }, path, `Look at the site ${scope}`, isCurrent)}</h2>
        <span class="tag">${isOpen ? `open · ${users}` : 'closed'}</span>
        ${kind ? html`<span class="soft">${kind === 'memory' ? 'kept in memory' : 'kept on disk'}</span>` : nothing}
      </header>
      <div class=${tabs.length > 0 ? 'lists both' : 'lists'}>
        ${error ? html`<p class="bad">${error.message} (${error.code})</p>` : nothing}
        ${versions ? this.#images(scope, path, versions, tabs) : error ? nothing : html`<p class="soft">Looking…</p>`}
        ${tabs.length > 0 ? tabTable(path, tabs) : nothing}
      </div>
    </section>`;
  }

  #images(
    scope: string,
    path: string,
    versions: readonly InspectedVersion[],
    tabs: readonly InspectedTab[],
  ): TemplateResult {
    if (versions.length === 0) return html`<p class="soft">No image of it is here.</p>`;
    return html`<table aria-label=${`Images of ${path}`}>
      <thead><tr>
        <th scope="col" .style=${'width: 116px'}>Image</th>
        <th scope="col">Here</th>
        <th scope="col" class="number" .style=${'width: 76px'}>Size</th>
        <th scope="col" .style=${'width: 92px'}>Used by</th>
        <th scope="col" class="number wide" .style=${'width: 88px'}>Last used</th>
      </tr></thead>
      <tbody>${versions.map((version) => this.#image(scope, version, tabs))}</tbody>
    </table>`;
  }

  #image(
    scope: string,
    { image, inUse, stored, bytes, lastUsed }: InspectedVersion,
    tabs: readonly InspectedTab[],
  ): TemplateResult {
    const isCurrent = scope === this.current?.scope && image === this.current.image;
    const name = html`<code>${shortDigest(image)}</code>`;
    const users = imageUsers(image, tabs);
    return html`<tr>
      <td>${
        inUse
          ? this.#button({ scope, image }, name, `Look at the image ${image}`, isCurrent)
          : html`<span title=${`${image}: no tab uses it`}>${name}</span>`
      }</td>
      <td>${hereCell(stored)}</td>
      <td class="number" title=${stored ? `${formatBytes(bytes)} here` : nothing}>${formatBytes(stored?.total ?? bytes)}</td>
      <td>${users ?? html`<span class="soft">nobody</span>`}</td>
      <td class="number wide">${inUse ? 'now' : lastUsed === undefined ? '–' : formatAgo(Date.now() - lastUsed)}</td>
    </tr>`;
  }

  #button(
    choice: OverviewChoice,
    content: string | TemplateResult,
    label: string,
    isCurrent: boolean,
  ): TemplateResult {
    return html`<button
      class="choose"
      title=${label}
      aria-current=${isCurrent}
      @click=${() => this.dispatchEvent(new CustomEvent<OverviewChoice>('choose', { detail: choice }))}
    >${content}</button>`;
  }

  readonly #close = (): void => {
    this.dispatchEvent(new CustomEvent('close'));
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    const all = [...this.renderRoot.querySelectorAll<HTMLElement>('.choose')];
    // None: the view itself, which has the focus when it opens.
    const at = all.indexOf(this.shadowRoot?.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all[Math.min(Math.max(to, 0), all.length - 1)]?.focus();
  };
}

function hereCell(stored: InspectedVersion['stored']): TemplateResult {
  if (!stored) return html`<span class="warn">its list of files cannot be read</span>`;
  const { present, total } = stored;
  const words = present === total ? 'complete' : formatShare(present, total);
  return html`<div class="here">
    <div class="presence" role="img" aria-label=${`${words} here`}><i .style=${`width: ${percent(present, total)}%`}></i></div><span>${words}</span>
  </div>`;
}

function tabTable(path: string, tabs: readonly InspectedTab[]): TemplateResult {
  return html`<table aria-label=${`Tabs of ${path}`}>
    <thead><tr>
      <th scope="col">Tab</th>
      <th scope="col" .style=${'width: 76px'}>Seen</th>
      <th scope="col" .style=${'width: 84px'}>Role</th>
      <th scope="col" class="wide" .style=${'width: 108px'}>Image</th>
    </tr></thead>
    <tbody>${tabs.map(tabRow)}</tbody>
  </table>`;
}

function tabRow({ loader, image, isLeader, isInspector, page }: InspectedTab): TemplateResult {
  const name = isInspector ? 'an inspector' : (page?.path ?? `loader ${shortDigest(loader)}`);
  return html`<tr>
    <td class=${page ? 'path' : 'soft'} title=${`${name}, loader ${loader}`}><bdi>${name}</bdi></td>
    <td>${
      page
        ? html`<i class=${page.isVisible ? 'eye visible' : 'eye'}></i>${page.isVisible ? 'visible' : 'hidden'}`
        : html`<span class="soft">–</span>`
    }</td>
    <td>${isLeader ? html`<span class="tag good">leads</span>` : 'stands by'}</td>
    <td class="wide"><code>${shortDigest(image)}</code></td>
  </tr>`;
}
