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
