import { html, nothing, type TemplateResult } from 'lit';
import { formatBytes, formatCount, formatMs } from '../../format/quantity.ts';
import type { WaterfallTotals } from '../model/waterfall-totals.ts';

/** What a launch comes to, in one line. */
export function launchTotals(totals: WaterfallTotals): TemplateResult {
  return html`<div class="totals" role="group" aria-label="Totals">
    ${part(formatCount(totals.reads), 'reads')} ${part(formatCount(totals.waited), 'waited')}
    ${part(formatMs(totals.longestWait), 'longest wait')} ${part(formatMs(totals.medianWait), 'median wait', 'wide')}
    ${totals.failed > 0 ? part(formatCount(totals.failed), 'failed', 'bad') : nothing}
    ${part(formatCount(totals.requests), 'requests')} ${part(formatBytes(totals.bytes), 'transferred')}
  </div>`;
}

function part(value: string, name: string, kind = ''): TemplateResult {
  return html`<span class=${kind}><b>${value}</b> ${name}</span>`;
}
