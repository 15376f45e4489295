import { html, nothing, type TemplateResult } from 'lit';
import { formatClock, formatCount } from '../../format/quantity.ts';
import type { Finding, Task, TaskResult, Tasks } from '../model/tasks.ts';

const signs = { good: '✓', bad: '✕', info: '–' } as const;
/** Of one finding. */
const shownPaths = 5;

/** What runs, and what the last ones came to; styles are tools-view's. */
export function taskList({ running, results }: Tasks): TemplateResult {
  if (running.length === 0 && results.length === 0)
    return html`<p class="soft">What takes its time, and what checks have found, is told here.</p>`;
  return html`<ol class="tasks" aria-live="polite">
    ${running.map(runningTask)} ${results.map(endedTask)}
  </ol>`;
}

function runningTask({ title, progress, cancel }: Task): TemplateResult {
  const share = progress && progress.of > 0 ? progress.done / progress.of : undefined;
  return html`<li>
    <span class="sign">…</span>
    <div>
      <b>${title}</b>
      <progress aria-label=${title} max="1" .value=${share ?? nothing} ?indeterminate=${share === undefined}></progress>
      <span class="soft">${share === undefined ? 'under way' : `${Math.floor(share * 100)} %`}</span>
    </div>
    <button @click=${cancel}>Cancel</button>
  </li>`;
}

function endedTask({ kind, title, text, at, findings }: TaskResult): TemplateResult {
  return html`<li class=${kind}>
    <span class=${`sign ${kind}`}>${signs[kind]}</span>
    <div>
      <b>${title}</b> ${text}
      ${findings.length > 0 ? html`<ul>${findings.map(finding)}</ul>` : nothing}
    </div>
    <span class="soft">${formatClock(at).slice(0, 8)}</span>
  </li>`;
}

function finding({ where, message, paths }: Finding): TemplateResult {
  const more = paths.length - shownPaths;
  return html`<li>
    <code>${where}</code>: ${message}
    ${paths.slice(0, shownPaths).map((path) => html`<div class="bad">damaged: ${path}</div>`)}
    ${more > 0 ? html`<div class="bad">and ${formatCount(more)} more paths</div>` : nothing}
  </li>`;
}
