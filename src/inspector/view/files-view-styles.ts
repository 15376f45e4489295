import { css } from 'lit';

/** Rows are set by their place alone, so all are of one height; CSS pixels. */
export const rowHeight = 22;

/** Of files-view.ts. */
export const filesViewStyles = css`
  :host {
    container-type: size;
    display: grid;
    grid-template: auto minmax(0, 1fr) / minmax(0, 1fr);
  }
  input {
    flex: 0 1 220px;
  }
  .scroller {
    overflow: auto;
    outline-offset: -2px;
  }
  .row {
    display: grid;
    grid-template-columns: minmax(120px, 1fr) 76px 136px 60px 52px 76px;
    height: ${rowHeight}px;
    line-height: ${rowHeight}px;
  }
  .head {
    position: sticky;
    top: 0;
    z-index: 1;
    background: var(--bar);
    border-bottom: 1px solid var(--line);
  }
  .head button {
    height: ${rowHeight - 1}px;
    padding: 0 8px;
    border: 0;
    border-radius: 0;
    background: none;
    color: var(--soft);
    font-weight: 500;
    text-align: inherit;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .head [aria-sort]:not([aria-sort='none']) button {
    color: var(--ink);
  }
  .head > * {
    border-left: 1px solid var(--line);
  }
  .head > :first-child {
    border-left: 0;
  }
  .head > * > button {
    width: 100%;
  }
  .row > * {
    overflow: hidden;
    white-space: nowrap;
  }
  .body {
    position: relative;
  }
  .body .row {
    position: absolute;
    inset-inline: 0;
  }
  .body .row > * {
    padding: 0 8px;
    text-overflow: ellipsis;
  }
  .body .odd {
    background: color-mix(in srgb, var(--bar) 60%, transparent);
  }
  .body .row:hover {
    background: var(--hover);
  }
  .body .row[aria-selected='true'] {
    background: var(--select);
  }
  .number {
    text-align: right;
  }
  .path {
    direction: rtl;
    text-align: left;
  }
  .present {
    display: flex;
    align-items: center;
    gap: 8px;
  }
  .present > .presence {
    flex: 1;
  }
  .present > span {
    width: 40px;
    text-align: right;
  }
  @container (max-width: 640px) {
    .row {
      grid-template-columns: minmax(80px, 1fr) 68px 104px 64px;
    }
    .reads,
    .order {
      display: none;
    }
  }
  @container (max-width: 420px) {
    .row {
      grid-template-columns: minmax(80px, 1fr) 104px 60px;
    }
    .size {
      display: none;
    }
  }
`;
