import { css, html, LitElement, nothing } from 'lit';
import { type InspectorSwitches, noSwitches } from '../../protocol/inspection.ts';
import type { InspectorActions } from '../actions.ts';
import { simulated } from '../model/simulation.ts';
import { controls } from './theme.ts';

/** Says, over all views, what is not as it would be without the inspector, and ends it with one click. Nothing while nothing is. */
export class SimulationBanner extends LitElement {
  static override properties = { switches: { attribute: false }, actions: { attribute: false } };
  declare switches: InspectorSwitches | undefined;
  declare actions: InspectorActions;

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        flex: none;
      }
      div {
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 3px 8px;
        border-bottom: 1px solid var(--line);
        background: color-mix(in srgb, var(--kind-demand) 24%, var(--bg));
      }
      span {
        flex: 1;
        min-width: 0;
      }
    `,
  ];

  override render() {
    const parts = simulated(this.switches ?? noSwitches);
    if (parts.length === 0) return nothing;
    return html`<div role="status">
      <span><b>The inspector interferes:</b> ${parts.join(', ')}.</span>
      <button @click=${() => this.actions.setSwitches(noSwitches)}>End it</button>
    </div>`;
  }

  static define(): void {
    if (!customElements.get('sluice-simulation-banner'))
      customElements.define('sluice-simulation-banner', SimulationBanner);
  }
}
