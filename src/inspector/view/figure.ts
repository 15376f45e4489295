import { html, nothing, type TemplateResult } from 'lit';

/** A figure with its name above, and perhaps a word below; see `.figure` in view-styles.ts. */
export function figure(
  name: string,
  value: string | TemplateResult,
  note: string | TemplateResult = '',
  tip = '',
): TemplateResult {
  return html`<div class="figure" title=${tip || nothing}>
    <div class="name">${name}</div>
    <div class="value">${value}</div>
    ${note === '' ? nothing : html`<div class="note" title=${typeof note === 'string' ? note : nothing}>${note}</div>`}
  </div>`;
}

/** A share as a bar; `label` for who does not see it. `kind` is a class request, or how bad it is. */
export function track(share: number, label: string, kind = ''): TemplateResult {
  const percent = Math.min(100, Math.max(0, share * 100));
  return html`<div class="track" role="img" aria-label=${label}><i class=${kind} .style=${`width: ${percent}%`}></i></div>`;
}
