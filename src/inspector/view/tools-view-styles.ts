import { css } from 'lit';

/** Of tools-view.ts. */
export const toolsViewStyles = css`
  :host {
    background: var(--bg);
  }
  .columns {
    display: grid;
    grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
    border-bottom: 1px solid var(--line);
  }
  .columns > div + div {
    border-left: 1px solid var(--line);
  }
  .columns section:last-child {
    border-bottom: 0;
  }
  .line {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 8px;
    min-height: 26px;
    padding: 2px 0;
  }
  .line > .soft {
    flex: 1 1 160px;
  }
  .line > input[type='text'] {
    flex: 1 1 180px;
  }
  .line > .hint {
    flex: 0 1 160px;
  }
  .line > .name {
    width: 56px;
    color: var(--soft);
  }
  input[type='number'] {
    width: 68px;
    text-align: right;
  }
  .tasks,
  .tasks ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .tasks > li {
    display: flex;
    align-items: baseline;
    gap: 8px;
    padding: 3px 0;
    border-bottom: 1px solid color-mix(in srgb, var(--line) 55%, transparent);
  }
  .tasks > li > div {
    flex: 1;
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .tasks ul > li {
    padding: 2px 0 2px 10px;
    border-left: 2px solid var(--bad);
    margin-top: 3px;
  }
  .sign {
    width: 12px;
    text-align: center;
    font-weight: 700;
  }
  progress {
    width: min(240px, 40%);
    height: 8px;
    margin: 0 8px;
    accent-color: var(--accent);
  }
  @container (max-width: 720px) {
    .columns {
      grid-template-columns: minmax(0, 1fr);
    }
    .columns > div + div {
      border-left: 0;
      border-top: 1px solid var(--line);
    }
  }
`;
