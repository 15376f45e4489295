import { html, nothing, type TemplateResult } from 'lit';
import { formatBytes, formatCount, formatMs } from '../../format/quantity.ts';
import type { InspectorActions } from '../actions.ts';
import { remedyOf } from '../model/failure-text.ts';
import { formatBlock } from '../model/labels.ts';
import { phaseNames } from '../model/phase-names.ts';
import type { Phase, WaterfallRow } from '../model/waterfall-rows.ts';

/** The steps of a row, each with its bar and its time. */
export function stepsOf(row: WaterfallRow): TemplateResult {
  if (row.segments.length === 0)
    return html`<p class="soft">${row.kind === 'read' ? 'The block was here: nobody waited.' : 'It took no time.'}</p>`;
  const length = row.end - row.start;
  const share = (ms: number): number => (length === 0 ? 0 : (ms / length) * 100);
  return html`<table class="steps" aria-label="Steps">
    <tbody>
      ${row.segments.map(
        ({ phase, start, end }) => html`<tr>
          <td>${phaseNames[phase].name}</td>
          <td class="lane"><i class=${`phase ${phase}`} .style=${`left: ${share(start - row.start)}%; width: ${share(end - start)}%`}></i></td>
          <td class="number">${formatMs(end - start)}</td>
        </tr>`,
      )}
      <tr class="sum"><td>Together</td><td></td><td class="number">${formatMs(length)}</td></tr>
    </tbody>
  </table>`;
}

/** What the row is, in short lines. */
export function factsOf(row: WaterfallRow, origin: number): TemplateResult {
  const began = html`<dt>Began</dt><dd>${formatMs(row.start - origin)}</dd>`;
  if (row.kind === 'read') {
    const { path, blob, block, start, end, failed } = row.read;
    const range =
      start !== undefined && end !== undefined ? `bytes ${formatCount(start)}–${formatCount(end)}` : '';
    return html`<dl>
      <dt>Read</dt><dd>${path || '/'}</dd>
      <dt>Block</dt><dd>${formatBlock(blob, block)} <span class="soft">${range}</span></dd>
      ${began}${failure(failed)}
    </dl>`;
  }
  const { blob, start, end, kind, bytes, blocks, verifyMs, failed } = row.fetch;
  return html`<dl>
    <dt>Request</dt><dd><i class=${`kind ${kind}`}></i>${kind}, blob ${blob}, bytes ${formatCount(start)}–${formatCount(end)}</dd>
    <dt>Brought</dt><dd>${formatBytes(bytes)} in ${formatCount(blocks)} blocks; ${formatMs(verifyMs)} of verifying</dd>
    ${began}${failure(failed)}
  </dl>`;
}

/** The pane below the rows. */
export function detailsPane(
  row: WaterfallRow,
  origin: number,
  actions: InspectorActions,
  onClose: () => void,
): TemplateResult {
  const place = row.kind === 'read' ? row.read : { blob: row.fetch.blob, block: 0 };
  const showBlock = (): void =>
    actions.show({ view: 'map', block: { blob: place.blob, block: Math.max(0, place.block) } });
  return html`<div class="details" role="region" aria-label="The chosen row">
    <div class="facts">
      ${factsOf(row, origin)}
      <div class="jumps">
        <button @click=${showBlock}>Show in Blocks</button>
        ${
          row.kind === 'read' && row.read.path
            ? html`<button @click=${() => actions.show({ view: 'files', path: row.read.path })}>Show in Files</button>`
            : nothing
        }
      </div>
    </div>
    <div class="times">${stepsOf(row)}</div>
    <button class="plain close" aria-label="Close the details" title="Close (Esc)" @click=${onClose}>✕</button>
  </div>`;
}

/** What the bars mean. */
export function legend(): TemplateResult {
  const names: Phase[] = ['queued', 'requested', 'receiving', 'verifying', 'decoding'];
  return html`<div class="legend">
    ${names.map((phase) => html`<span title=${phaseNames[phase].meaning}><i class=${`phase ${phase}`}></i>${phaseNames[phase].name}</span>`)}
    <span title="the block was here: nobody waited"><i class="phase hit"></i>Here</span>
  </div>`;
}

function failure(failed: string | undefined): TemplateResult | typeof nothing {
  if (failed === undefined) return nothing;
  const why = failed === 'closed' ? 'nobody wanted the rest' : remedyOf(failed);
  return html`<dt>Ended with</dt><dd class=${failed === 'closed' ? '' : 'bad'}><code>${failed}</code> ${why}</dd>`;
}
