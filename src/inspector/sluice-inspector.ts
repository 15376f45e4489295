import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { cache } from 'lit/directives/cache.js';
import type { Sluice } from '../client/sluice.ts';
import { toWireError } from '../format/errors.ts';
import { formatBytes, percent } from '../format/quantity.ts';
import { systemClock } from '../protocol/clock.ts';
import type { Notice } from './actions.ts';
import type { InspectorHome } from './home.ts';
import { countTabs, imageUsers } from './model/image-users.ts';
import { shortDigest } from './model/labels.ts';
import { LeaderActions } from './service/leader-actions.ts';
import { OverviewWatch } from './service/overview-watch.ts';
import { Poller } from './service/poller.ts';
import { openScopes } from './service/scopes.ts';
import { InspectorShell } from './shell.ts';
import { dots, presenceBar } from './view/mark-styles.ts';
import { type OverviewChoice, OverviewView } from './view/overview-view.ts';
import { controls, palette } from './view/theme.ts';

const shellTag = 'sluice-inspector-shell';
/** A site that opens or closes is seen so soon. */
const scopesMs = 2000;

/**
 * `<sluice-inspector>`: all of the panel. It does nothing until it is in a document, nothing while it is not seen, and ends all when it is taken out.
 * `theme="light"` or `theme="dark"` overrules the system's.
 */
export class SluiceInspector extends LitElement {
  static override properties = {
    home: { attribute: false },
    scope: { state: true },
    scopes: { state: true },
    tick: { state: true },
    notice: { state: true },
    starting: { state: true },
    overview: { state: true },
  };
  /** Set it before the element is put into a document. */
  declare home: InspectorHome | undefined;
  declare protected scope: string | undefined;
  declare protected scopes: readonly string[];
  declare protected tick: number;
  declare protected notice: Notice | undefined;
  declare protected starting: boolean;
  /** While all sites are shown. */
  declare protected overview: OverviewWatch | undefined;

  #poller: Poller | undefined;
  #ended = new AbortController();
  #isSeen = true;
  #endLoader: (() => void) | undefined;
  readonly #actions = new LeaderActions({
    poller: () => this.#poller,
    home: () => this.home,
    say: (notice) => {
      this.notice = notice;
    },
    show: (target) => this.renderRoot.querySelector<InspectorShell>(shellTag)?.show(target),
  });

  static override styles = [
    palette,
    controls,
    presenceBar,
    dots,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 240px;
        container: panel / inline-size;
      }
      :host([full-page]) {
        position: fixed;
        inset: 0;
      }
      sluice-inspector-shell,
      sluice-overview,
      .empty {
        flex: 1;
      }
      sluice-overview:focus-visible {
        outline: none;
      }
      header,
      footer {
        flex: none;
      }
      label {
        display: flex;
        align-items: center;
        gap: 6px;
        min-width: 0;
      }
      .word {
        color: var(--soft);
      }
      select {
        max-width: 260px;
        text-overflow: ellipsis;
      }
      .presence {
        width: 120px;
      }
      .share {
        min-width: 64px;
      }
      .bytes {
        min-width: 120px;
      }
      .link {
        flex: none;
      }
      @container panel (max-width: 640px) {
        .word,
        .bytes {
          display: none;
        }
        select {
          max-width: 132px;
        }
        .presence {
          width: 48px;
        }
      }
      header.toolbar {
        flex-wrap: nowrap;
      }
      .share,
      .bytes,
      .presence {
        flex: none;
      }
      footer {
        display: flex;
        gap: 12px;
        height: 24px;
        padding: 2px 8px;
        border-top: 1px solid var(--line);
        background: var(--bar);
        white-space: nowrap;
        overflow: hidden;
      }
      footer > * {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      footer > .gap {
        flex: 1;
      }
    `,
  ];

  constructor() {
    super();
    this.scope = undefined;
    this.scopes = [];
    this.tick = 0;
    this.notice = undefined;
    this.starting = false;
    this.overview = undefined;
    OverviewView.define();
    if (!customElements.get(shellTag)) customElements.define(shellTag, InspectorShell);
  }

  /** A task runs that takes its time. */
  get isBusy(): boolean {
    return this.#actions.tasks.running.length > 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#ended = new AbortController();
    const { signal } = this.#ended;
    document.addEventListener('visibilitychange', this.#onSeen, { signal });
    const observer = new IntersectionObserver((entries) => {
      this.#isSeen = entries.at(-1)?.isIntersecting ?? true;
      this.#onSeen();
    });
    observer.observe(this);
    signal.addEventListener('abort', () => observer.disconnect());
    const look = setInterval(() => void this.#findScopes(), scopesMs);
    signal.addEventListener('abort', () => clearInterval(look));
    void this.#findScopes();
    // In an app's own page, whose client may be of an older build.
    (window as { sluice?: Partial<Pick<Sluice, 'trackPerformance'>> }).sluice?.trackPerformance?.(signal);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#ended.abort();
    this.#closeOverview();
    this.#follow(undefined);
  }

  protected override updated(changed: PropertyValues): void {
    if (!changed.has('home')) return;
    // What it had was of another page.
    this.#closeOverview();
    void this.#findScopes();
  }

  override render() {
    const snapshot = this.#poller?.snapshot;
    return html`
      <header class="toolbar">${this.#overviewButton()} ${this.#sitePicker()} ${this.#imagePicker()} <span class="gap"></span> ${this.#progress()}</header>
      ${
        // Kept as it was left, also over another page in DevTools.
        cache(
          this.overview
            ? this.#allSites(this.overview)
            : snapshot
              ? html`<sluice-inspector-shell .snapshot=${snapshot} .actions=${this.#actions}></sluice-inspector-shell>`
              : this.#empty(),
        )
      }
      <footer>
        <span role="status" class=${this.notice?.kind ?? ''} title=${this.notice?.text ?? ''}>${this.notice?.text ?? nothing}</span>
        <span class="gap"></span>
        ${this.#link()}
      </footer>
    `;
  }

  #overviewButton() {
    return html`<button
      id="all-sites"
      title="All sites of this origin, with their images and tabs"
      aria-pressed=${this.overview !== undefined}
      @click=${() => (this.overview ? this.#closeOverview() : this.#openOverview())}
    >All sites</button>`;
  }

  #allSites({ sites, error }: OverviewWatch) {
    const scope = this.scope;
    const image = this.#poller?.snapshot?.inspection.state.image;
    return html`<sluice-overview
      tabindex="-1"
      .sites=${sites}
      .error=${error?.message}
      .current=${scope === undefined ? undefined : { scope, image }}
      @choose=${this.#onChoose}
      @close=${this.#closeOverview}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === 'Escape') this.#closeOverview();
      }}
    ></sluice-overview>`;
  }

  readonly #onChoose = ({ detail: { scope, image } }: CustomEvent<OverviewChoice>): void => {
    this.#follow(scope);
    if (this.#poller) this.#poller.image = image;
    this.#closeOverview();
  };

  #openOverview(): void {
    if (!this.home) return;
    this.overview = new OverviewWatch({
      home: this.home,
      clock: systemClock,
      onChange: () => {
        this.tick += 1;
      },
    });
    this.#onSeen();
    void this.updateComplete.then(() =>
      this.renderRoot.querySelector<HTMLElement>('sluice-overview')?.focus(),
    );
  }

  readonly #closeOverview = (): void => {
    if (!this.overview) return;
    this.overview.close();
    this.overview = undefined;
    this.renderRoot.querySelector<HTMLElement>('#all-sites')?.focus();
  };

  #sitePicker() {
    const choose = (event: Event): void => this.#follow((event.target as HTMLSelectElement).value);
    const scopes =
      this.scope && !this.scopes.includes(this.scope) ? [this.scope, ...this.scopes] : this.scopes;
    return html`<label title="Sites of this origin that are open somewhere"><span class="word">Site</span>
      <select @change=${choose} aria-label="Site">
        ${scopes.map((scope) => html`<option value=${scope} ?selected=${scope === this.scope}>${scope.replace(/^https?:\/\//, '')}</option>`)}
      </select></label>`;
  }

  #imagePicker() {
    const inspection = this.#poller?.snapshot?.inspection;
    if (!inspection) return nothing;
    const { tabs, versions, state } = inspection;
    const choose = (event: Event): void => {
      this.#poller!.image = (event.target as HTMLSelectElement).value;
    };
    const words = (image: string): string => `${shortDigest(image)} · ${imageUsers(image, tabs) ?? 'no tab'}`;
    return html`<label title="Versions of the app that are stored or running"><span class="word">Image</span>
      <select @change=${choose} aria-label="Image">
        ${versions.map(
          ({ image, inUse }) =>
            html`<option value=${image} ?selected=${image === state.image} ?disabled=${!inUse}>${words(image)}</option>`,
        )}
      </select></label>`;
  }

  #progress() {
    const inspection = this.#poller?.snapshot?.inspection;
    if (!inspection) return nothing;
    const { bytes, complete } = inspection.state;
    const share = percent(bytes.present, bytes.total);
    return html`<div class="presence" role="progressbar" aria-label="Image" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${share}>
        <i .style=${`width: ${share}%`}></i>
      </div>
      <span class="share">${complete ? 'complete' : `${share} %`}</span>
      <span class="bytes soft">${formatBytes(bytes.present)} of ${formatBytes(bytes.total)}</span>`;
  }

  /** How the panel itself fares. */
  #link() {
    const kind = this.#poller?.state.kind ?? 'nobody';
    const inspection = this.#poller?.snapshot?.inspection;
    const isPaused = inspection?.switches.isPaused ?? false;
    const [dot, words] = {
      searching: ['', 'looking for the loader'],
      nobody: ['', inspection ? 'no tab is open any more' : 'no tab is open'],
      failing: ['bad', 'the loader does not answer'],
      live: isPaused ? ['warn', 'paused'] : ['good', 'live'],
    }[kind];
    return html`<span class="soft">${inspection && kind === 'live' ? `leader ${inspection.cursor.leader.slice(0, 8)}` : nothing}</span>
      <span class="link"><i class=${`dot ${dot}`}></i>${words}</span>`;
  }

  #empty() {
    const state = this.#poller?.state;
    if (state?.kind === 'failing') return html`<div class="empty"><p>${state.error.message}</p></div>`;
    if (!this.scope || state?.kind === 'nobody')
      return html`<div class="empty">
        <p>No tab of this site is open. Open the app in a tab, and what it does is seen here.</p>
        ${
          this.home?.startLoader
            ? html`<button ?disabled=${this.starting} @click=${this.#lookIntoStore}>Look into the store</button>
                <p>That starts a loader, which fetches nothing but the list of files.</p>`
            : nothing
        }
      </div>`;
    return html`<div class="empty"><p>Looking for the loader…</p></div>`;
  }

  readonly #lookIntoStore = async (): Promise<void> => {
    const scope = this.scope ?? this.home?.scope;
    if (!scope || !this.home?.startLoader) return;
    this.starting = true;
    try {
      this.#endLoader = await this.home.startLoader(scope);
      this.#poller?.poke();
    } catch (error) {
      this.notice = { kind: 'bad', text: toWireError(error).message };
    } finally {
      this.starting = false;
    }
  };

  /** A tab of the app has come, and leads by itself: it must not depend on this page. */
  #stepAside(): void {
    if (countTabs(this.#poller?.snapshot?.inspection.tabs ?? []) === 0) return;
    this.#endLoader?.();
    this.#endLoader = undefined;
  }

  readonly #onSeen = (): void => {
    const isSeen = this.#isSeen && document.visibilityState === 'visible';
    if (this.#poller) this.#poller.awake = isSeen;
    if (this.overview) this.overview.awake = isSeen;
  };

  async #findScopes(): Promise<void> {
    const { home } = this;
    const { signal } = this.#ended;
    if (!home || signal.aborted || document.visibilityState !== 'visible') return;
    try {
      const scopes = await openScopes(home);
      // It may have been put elsewhere meanwhile, with another home.
      if (signal.aborted) return;
      this.scopes = scopes;
    } catch (error) {
      if (!signal.aborted) this.notice = { kind: 'bad', text: toWireError(error).message };
      return;
    }
    if (!this.#poller) this.#follow(home.scope ?? this.scopes[0]);
  }

  #follow(scope: string | undefined): void {
    if (scope === this.#poller?.scope) return;
    this.#poller?.close();
    this.#endLoader?.();
    this.#endLoader = undefined;
    this.scope = scope;
    this.#poller =
      scope && this.home
        ? new Poller({
            home: this.home,
            scope,
            clock: systemClock,
            onChange: () => {
              this.tick += 1;
              this.#stepAside();
            },
          })
        : undefined;
    this.#onSeen();
  }
}
