import { css } from 'lit';

/** How much of something is here: a bar with an `i` in it. */
export const presenceBar = css`
  .presence {
    height: 6px;
    border-radius: 3px;
    background: var(--block-missing);
    overflow: hidden;
  }
  .presence > i {
    display: block;
    height: 100%;
    background: var(--block-present);
  }
`;

/** A word in a frame: what something is. */
export const tags = css`
  .tag {
    padding: 0 5px;
    border: 1px solid var(--line);
    border-radius: 8px;
    font-size: 11px;
    line-height: 14px;
    color: var(--soft);
  }
  .tag.good {
    color: var(--good);
    border-color: currentColor;
  }
`;

/** How something fares, before a word that says it: by colour, and by shape. */
export const dots = css`
  .dot {
    display: inline-block;
    width: 8px;
    height: 8px;
    margin-right: 6px;
    border-radius: 50%;
    background: var(--soft);
  }
  .dot.good {
    background: var(--good);
  }
  .dot.warn {
    background: var(--warn);
    border-radius: 1px;
    transform: rotate(45deg);
  }
  .dot.bad {
    background: var(--bad);
    border-radius: 1px;
  }
`;
