import { css } from 'lit';

/** Of launch-view.ts. */
export const launchViewStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    position: relative;
    overflow: hidden !important;
    container-type: inline-size;
  }
  .check {
    display: inline-flex;
    align-items: center;
    gap: 4px;
    white-space: nowrap;
  }
  .check > input {
    margin: 0;
  }
  input[type='search'] {
    flex: 0 1 180px;
  }
  .totals,
  .foot {
    display: flex;
    flex: none;
    flex-wrap: wrap;
    gap: 0 14px;
    padding: 3px 8px;
    border-bottom: 1px solid var(--line);
    color: var(--soft);
    white-space: nowrap;
  }
  .totals {
    background: var(--bg);
  }
  .totals b,
  .foot b {
    font-weight: 600;
    color: var(--ink);
  }
  .totals .bad b {
    color: inherit;
  }
  sluice-waterfall-overview {
    flex: none;
  }
  sluice-waterfall-list {
    flex: 1;
    min-height: 80px;
  }
  /* It shows by itself that it has the focus. */
  sluice-waterfall-list:focus-visible {
    outline: none;
  }
  .foot {
    min-height: 24px;
    border-width: 1px 0 0;
  }
  .foot > .gap {
    flex: 1;
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 0 12px;
  }
  .legend i {
    display: inline-block;
    width: 14px;
    height: 8px;
    margin-right: 5px;
  }
  .legend i.hit {
    width: 3px;
    border-radius: 1px;
  }
  .mark::before {
    content: '';
    display: inline-block;
    width: 2px;
    height: 10px;
    margin-right: 5px;
    vertical-align: -1px;
    background: var(--accent);
  }
  .mark.late::before {
    background: var(--warn);
  }
  .details {
    position: relative;
    flex: none;
    display: grid;
    grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
    gap: 8px 24px;
    max-height: 190px;
    min-height: 120px;
    padding: 8px 34px 8px 10px;
    overflow: auto;
    border-top: 1px solid var(--line);
    background: var(--bg);
  }
  .close {
    position: absolute;
    top: 4px;
    right: 6px;
  }
  .jumps {
    display: flex;
    gap: 6px;
    margin-top: 8px;
  }
  .steps td {
    height: 18px;
    border: 0;
    padding: 0 8px 0 0;
  }
  .steps td:first-child {
    width: 74px;
    color: var(--soft);
  }
  .steps td.number {
    width: 64px;
    padding-right: 0;
  }
  .steps tbody tr:hover > td {
    background: none;
  }
  .steps tr.sum > td {
    color: var(--ink);
    font-weight: 500;
  }
  .lane {
    position: relative;
  }
  .lane > i {
    position: absolute;
    top: 4px;
    height: 10px;
    min-width: 1px;
  }
  .tip {
    position: absolute;
    z-index: 5;
    width: 308px;
    padding: 8px 10px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--bg);
    box-shadow: 0 4px 14px var(--shadow);
    pointer-events: none;
  }
  .tip dl {
    margin-bottom: 4px;
  }
  .tip p {
    margin: 0;
  }
  @container (max-width: 620px) {
    .wide {
      display: none;
    }
    .details {
      grid-template-columns: minmax(0, 1fr);
      max-height: 240px;
    }
    .foot {
      flex-wrap: nowrap;
      overflow-x: auto;
      scrollbar-width: none;
    }
    .legend {
      flex-wrap: nowrap;
    }
    .foot > .gap {
      display: none;
    }
  }
`;
