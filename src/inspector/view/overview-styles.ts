import { css } from 'lit';

export const overviewStyles = css`
  :host {
    display: block;
    overflow: auto;
    container-type: inline-size;
    outline: none;
  }
  .toolbar {
    position: sticky;
    top: 0;
    z-index: 2;
  }
  h1 {
    margin: 0;
    font-size: 12px;
    font-weight: 600;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .totals {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .site {
    margin: 10px 12px;
    padding: 0;
    border: 1px solid var(--line);
    border-radius: 6px;
    overflow: hidden;
  }
  .site.current {
    border-color: var(--accent);
  }
  .site > header {
    display: flex;
    align-items: center;
    gap: 8px;
    min-height: 30px;
    padding: 3px 8px;
    background: var(--bar);
    border-bottom: 1px solid var(--line);
  }
  h2 {
    margin: 0;
    min-width: 0;
    min-height: 0;
    flex-wrap: nowrap;
  }
  h2 .choose {
    max-width: 100%;
    font-weight: 600;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .site > header > .tag,
  .site > header > .soft,
  .site > header > .dot {
    flex: none;
    margin: 0;
  }
  .lists {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
  }
  .lists > p {
    margin: 0;
    padding: 8px 12px;
  }
  .lists > p.bad:not(:last-child) {
    border-bottom: 1px solid var(--line);
  }
  tr:last-child > td {
    border-bottom: 0;
  }
  th {
    position: static;
    background: none;
    border-bottom-color: color-mix(in srgb, var(--line) 55%, transparent);
  }
  td .choose {
    height: 20px;
    padding: 0 6px;
    margin-left: -6px;
  }
  .choose {
    color: var(--accent);
    border-color: transparent;
    background: none;
  }
  .choose:disabled {
    color: inherit;
    opacity: 1;
  }
  .choose[aria-current='true'] {
    background: var(--select);
  }
  .here {
    max-width: 440px;
    display: flex;
    align-items: center;
    gap: 8px;
  }
  .here > .presence {
    flex: 1;
    min-width: 24px;
  }
  .here > span {
    flex: none;
    width: 58px;
    text-align: right;
  }
  .path {
    direction: rtl;
    text-align: left;
  }
  .eye {
    display: inline-block;
    width: 8px;
    height: 8px;
    margin-right: 6px;
    border: 1.5px solid var(--soft);
    border-radius: 50%;
  }
  .eye.visible {
    border-color: var(--good);
    background: var(--good);
  }
  @container (min-width: 1000px) {
    .lists.both {
      grid-template-columns: minmax(0, 11fr) minmax(0, 9fr);
    }
    .lists.both > table + table {
      border-left: 1px solid var(--line);
    }
    .lists.both > p.bad {
      grid-column: 1 / -1;
    }
  }
  @container (max-width: 999px) {
    .lists > table + table {
      border-top: 1px solid var(--line);
    }
  }
  @container (max-width: 560px) {
    .site {
      margin: 8px 6px;
    }
    .site > header > .soft {
      display: none;
    }
  }
`;
