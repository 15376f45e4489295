import { css } from 'lit';
import { dots, tags } from './mark-styles.ts';

/** Sections, figures and bars, of the views that are no table. */
export const sections = css`
  ${tags}
  ${dots}
  :host {
    display: block;
    container-type: inline-size;
  }
  section {
    padding: 10px 12px 12px;
    border-bottom: 1px solid var(--line);
  }
  h2 {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0 8px;
    margin: 0 0 6px;
    min-height: 22px;
    font-size: 12px;
    font-weight: 600;
  }
  h2 > .gap {
    flex: 1;
  }
  h2 > .soft,
  h2 > button {
    font-weight: 400;
  }
  p {
    margin: 0 0 6px;
  }
  p:last-child {
    margin-bottom: 0;
  }
  .figures {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(148px, 1fr));
    border: 1px solid var(--line);
    border-radius: 6px;
    overflow: hidden;
  }
  .figure {
    min-width: 0;
    padding: 6px 10px 7px;
    background: var(--bg);
    box-shadow: 0 0 0 0.5px var(--line);
  }
  .figure > .name {
    color: var(--soft);
    font-size: 11px;
    line-height: 15px;
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .figure > .value {
    font-size: 15px;
    line-height: 21px;
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .figure > .note {
    color: var(--soft);
    font-size: 11px;
    line-height: 14px;
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .track {
    position: relative;
    height: 8px;
    border-radius: 2px;
    background: color-mix(in srgb, var(--line) 60%, transparent);
    overflow: hidden;
  }
  .track > i {
    display: block;
    height: 100%;
    border-radius: 2px;
    background: var(--accent);
  }
  .track > i.demand,
  .track > i.warn {
    background: var(--kind-demand);
  }
  .track > i.launch {
    background: var(--kind-launch);
  }
  .track > i.background {
    background: var(--kind-background);
  }
  .track > i.bad {
    background: var(--bad);
  }
  @container (max-width: 560px) {
    .wide {
      display: none;
    }
    section {
      padding-inline: 8px;
    }
  }
`;
