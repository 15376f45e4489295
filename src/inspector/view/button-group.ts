import { css } from 'lit';

/** Buttons that stand for one choice, side by side without a gap: those in a `.group`. */
export const buttonGroup = css`
  .group {
    display: inline-flex;
  }
  .group > button {
    border-radius: 0;
    margin-left: -1px;
  }
  .group > button:first-child {
    border-radius: 4px 0 0 4px;
    margin-left: 0;
  }
  .group > button:last-child {
    border-radius: 0 4px 4px 0;
  }
  .group > button[aria-pressed='true'] {
    z-index: 1;
  }
`;
