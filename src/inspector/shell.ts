import { css, html, LitElement, nothing } from 'lit';
import type { InspectorActions, InspectorTarget } from './actions.ts';
import type { Snapshot } from './model/snapshot.ts';
import { SimulationBanner } from './view/simulation-banner.ts';
import { controls } from './view/theme.ts';
import type { ViewElement } from './view/view-element.ts';
import { inspectorViews } from './view/views.ts';

/** The tabs, and the view of the one that is chosen. A view is made when its tab is chosen for the first time, and told of nothing while it is not seen. */
export class InspectorShell extends LitElement {
  static override properties = {
    snapshot: { attribute: false },
    actions: { attribute: false },
    chosen: { attribute: false },
  };
  declare snapshot: Snapshot | undefined;
  declare actions: InspectorActions;
  /** Id of a view. */
  declare chosen: string;
  readonly #made = new Map<string, ViewElement>();

  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 0;
      }
      [role='tablist'] {
        display: flex;
        flex: none;
        overflow-x: auto;
        scrollbar-width: none;
        background: var(--bar);
        border-bottom: 1px solid var(--line);
      }
      [role='tab'] {
        position: relative;
        height: 28px;
        padding: 0 12px;
        border: 0;
        border-radius: 0;
        background: none;
      }
      [role='tab'][aria-selected='true'] {
        color: var(--accent);
      }
      [role='tab'][aria-selected='true']::after {
        content: '';
        position: absolute;
        inset: auto 6px 0;
        height: 2px;
        border-radius: 2px 2px 0 0;
        background: var(--accent);
      }
      [role='tabpanel'] {
        flex: 1;
        min-height: 0;
        display: grid;
        grid-template: minmax(0, 1fr) / minmax(0, 1fr);
      }
      [role='tabpanel'] > * {
        min-height: 0;
        min-width: 0;
        overflow: auto;
      }
    `,
  ];

  constructor() {
    super();
    SimulationBanner.define();
    this.snapshot = undefined;
    this.chosen = inspectorViews[0]!.id;
  }

  /** Jumps to the view of the target. */
  show(target: InspectorTarget): void {
    if (!inspectorViews.some(({ id }) => id === target.view)) return;
    this.chosen = target.view;
    this.#view(target.view).target = target;
  }

  override render() {
    const tabs = inspectorViews.map(
      ({ id, title }) => html`<button
        role="tab"
        id=${`tab-${id}`}
        aria-controls="panel"
        aria-selected=${id === this.chosen}
        tabindex=${id === this.chosen ? 0 : -1}
        @click=${() => this.#choose(id)}
        @keydown=${this.#onKey}
      >${title}</button>`,
    );
    return html`<div role="tablist" aria-label="Views">${tabs}</div>
      <sluice-simulation-banner .switches=${this.snapshot?.inspection.switches} .actions=${this.actions}></sluice-simulation-banner>
      <div role="tabpanel" id="panel" aria-labelledby=${`tab-${this.chosen}`}>${this.#chosenView()}</div>`;
  }

  #chosenView(): ViewElement | typeof nothing {
    if (!this.actions) return nothing;
    const view = this.#view(this.chosen);
    view.actions = this.actions;
    view.snapshot = this.snapshot;
    return view;
  }

  #view(id: string): ViewElement {
    const known = this.#made.get(id);
    if (known) return known;
    const { tag, element } = inspectorViews.find((entry) => entry.id === id)!;
    if (!customElements.get(tag)) customElements.define(tag, element);
    const view = document.createElement(tag) as ViewElement;
    this.#made.set(id, view);
    return view;
  }

  #choose(id: string): void {
    this.chosen = id;
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const at = inspectorViews.findIndex(({ id }) => id === this.chosen);
    const last = inspectorViews.length - 1;
    const to = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#choose(inspectorViews[to]!.id);
    void this.updateComplete.then(() => {
      this.renderRoot.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
    });
  };
}
