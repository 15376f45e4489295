import { css } from 'lit';

/**
 * The colours of the panel, as DevTools has them: quiet greys, thin lines, one accent. Declared on the host alone, and inherited by every view.
 * Light or dark by the system, or by the element's `theme` attribute.
 *
 * The states of blocks differ in brightness as well as in hue, so that they can be told apart without colours: what is here is far from the background,
 * what is missing is near to it.
 *
 * In templates write `.style=${'width: 3px'}`, never `style="…"`: a page's policy may forbid style attributes, but not the CSSOM.
 */
const light = css`
  --bg: #fff;
  --bar: #f4f6f8;
  --line: #dadfe4;
  --ink: #1f2328;
  --soft: #5b6670;
  --hover: #eef2f6;
  --select: #d6e7fb;
  --accent: #0b66c3;
  --on-accent: #fff;
  --good: #17794a;
  --warn: #9a5700;
  --bad: #c1201c;
  --shadow: rgb(20 30 40 / 0.18);
  --block-missing: #e3e8ec;
  --block-in-flight: #8cc4f8;
  --block-pending: #f39a1e;
  --block-damaged: #c8105a;
  --block-in-memory: #8f83d8;
  --block-present: #2b9e78;
  --block-sealed: #0e5a49;
  --kind-demand: #f39a1e;
  --kind-launch: #3b8ae0;
  --kind-background: #8b98a5;
  --phase-queued: #a9b4be;
  --phase-requested: #f0c36a;
  --phase-receiving: #3b8ae0;
  --phase-verifying: #8a4fbf;
  --phase-decoding: #20643f;
  --phase-hit: #2b9e78;
  color-scheme: light;
`;

const dark = css`
  --bg: #202327;
  --bar: #292d32;
  --line: #3e444b;
  --ink: #e4e7ea;
  --soft: #9ea8b1;
  --hover: #2e3338;
  --select: #1f4466;
  --accent: #7db9fa;
  --on-accent: #10233a;
  --good: #74d0a0;
  --warn: #f7bb62;
  --bad: #f58b83;
  --shadow: rgb(0 0 0 / 0.5);
  --block-missing: #353a40;
  --block-in-flight: #2f73b8;
  --block-pending: #ffb24a;
  --block-damaged: #ff4f8b;
  --block-in-memory: #9288e0;
  --block-present: #36a981;
  --block-sealed: #a3ecd2;
  --kind-demand: #ffb24a;
  --kind-launch: #64a8f5;
  --kind-background: #7d8a97;
  --phase-queued: #6d7883;
  --phase-requested: #a97f2c;
  --phase-receiving: #64a8f5;
  --phase-verifying: #c99bf0;
  --phase-decoding: #b4f0cb;
  --phase-hit: #36a981;
  color-scheme: dark;
`;

/** For `<sluice-inspector>` alone. */
export const palette = css`
  :host {
    ${light}
  }
  @media (prefers-color-scheme: dark) {
    :host(:not([theme='light'])) {
      ${dark}
    }
  }
  :host([theme='dark']) {
    ${dark}
  }
`;

/** What every view begins with: type, buttons, fields, tables. */
export const controls = css`
  :host {
    box-sizing: border-box;
    font: 12px/18px system-ui, sans-serif;
    font-variant-numeric: tabular-nums;
    color: var(--ink);
    background: var(--bg);
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  code,
  .mono {
    font: 11px/18px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  }
  .soft {
    color: var(--soft);
  }
  .good {
    color: var(--good);
  }
  .warn {
    color: var(--warn);
  }
  .bad {
    color: var(--bad);
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: -2px;
  }
  button,
  select,
  input {
    font: inherit;
    color: inherit;
  }
  button {
    height: 22px;
    padding: 0 8px;
    border: 1px solid var(--line);
    border-radius: 4px;
    background: var(--bg);
    white-space: nowrap;
    cursor: default;
  }
  button:hover:not(:disabled) {
    background: var(--hover);
  }
  button:active:not(:disabled) {
    background: var(--line);
  }
  button[aria-pressed='true'] {
    background: var(--select);
    border-color: var(--accent);
  }
  button.plain {
    border-color: transparent;
    background: none;
  }
  button.plain:hover:not(:disabled) {
    background: var(--hover);
  }
  button.plain[aria-pressed='true'] {
    background: var(--select);
  }
  button.danger {
    color: var(--bad);
  }
  button:disabled {
    opacity: 0.45;
  }
  select,
  input:is([type='text'], [type='search'], [type='number'], :not([type])) {
    height: 22px;
    padding: 0 6px;
    border: 1px solid var(--line);
    border-radius: 4px;
    background: var(--bg);
    min-width: 0;
  }
  .toolbar {
    display: flex;
    align-items: center;
    flex-wrap: wrap;
    gap: 4px 6px;
    min-height: 30px;
    padding: 3px 8px;
    border-bottom: 1px solid var(--line);
    background: var(--bar);
  }
  .toolbar > .gap {
    flex: 1;
  }
  .toolbar > .rule {
    width: 1px;
    height: 16px;
    background: var(--line);
  }
  .empty {
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 8px;
    min-height: 140px;
    padding: 24px;
    color: var(--soft);
    text-align: center;
    text-wrap: balance;
  }
  .empty > p {
    margin: 0;
    max-width: 52ch;
  }
  /* A table of real rows; those of thousands are virtual-table's. */
  table {
    width: 100%;
    border-collapse: separate;
    border-spacing: 0;
    table-layout: fixed;
  }
  th,
  td {
    height: 22px;
    padding: 0 8px;
    text-align: left;
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
    border-bottom: 1px solid color-mix(in srgb, var(--line) 55%, transparent);
  }
  th {
    position: sticky;
    top: 0;
    z-index: 1;
    font-weight: 500;
    color: var(--soft);
    background: var(--bar);
    border-bottom-color: var(--line);
  }
  th.number,
  td.number {
    text-align: right;
  }
  tbody tr:hover > td {
    background: var(--hover);
  }
  tbody tr[aria-selected='true'] > td {
    background: var(--select);
  }
  dl {
    display: grid;
    grid-template-columns: max-content minmax(0, 1fr);
    gap: 2px 12px;
    margin: 0;
  }
  dt {
    color: var(--soft);
  }
  dd {
    margin: 0;
    overflow-wrap: anywhere;
  }
  .sr-only {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      transition: none !important;
      animation: none !important;
    }
  }
`;
