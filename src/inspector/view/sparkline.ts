import { html, type TemplateResult } from 'lit';
import type { TransferHistory } from '../model/transfer-history.ts';

const height = 44;

/** A rate over time as a filled curve; `label` for who does not see it. */
export function sparkline({ rates, peak }: TransferHistory, label: string): TemplateResult {
  const width = rates.length - 1;
  const y = (rate: number): string => (height - 1 - (rate / (peak || 1)) * (height - 6)).toFixed(1);
  const line = `M${rates.map((rate, x) => `${x} ${y(rate)}`).join('L')}`;
  return html`<svg class="sparkline" viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label=${label}>
    <path class="area" d=${`${line}V${height}H0z`}></path>
    <path class="line" d=${line}></path>
  </svg>`;
}
