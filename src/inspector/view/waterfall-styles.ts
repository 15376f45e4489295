import { css } from 'lit';

/**
 * How the parts of a bar look, in rows, details and legend. They differ in brightness and in pattern besides their hue: what was queued is hatched, what was asked for is dotted,
 * and from there on the bars grow fuller.
 */
export const phases = css`
  .phase {
    background: var(--phase-receiving);
  }
  .phase.queued {
    background: repeating-linear-gradient(
      -45deg,
      var(--phase-queued) 0 1.5px,
      color-mix(in srgb, var(--phase-queued) 22%, var(--bg)) 1.5px 4px
    );
    box-shadow: inset 0 0 0 1px var(--phase-queued);
  }
  .phase.requested {
    background: radial-gradient(circle, color-mix(in srgb, var(--bg) 75%, var(--phase-requested)) 1px, transparent 1.2px) 0 0 /
        4px 4px,
      var(--phase-requested);
  }
  .phase.verifying {
    background: var(--phase-verifying);
  }
  .phase.decoding {
    background: var(--phase-decoding);
  }
  .phase.waiting {
    background: color-mix(in srgb, var(--phase-queued) 30%, var(--bg));
    box-shadow: inset 0 0 0 1px var(--phase-queued);
  }
  .phase.hit {
    background: var(--phase-hit);
  }
  .phase.failed {
    background: var(--bad);
  }
  .kind {
    display: inline-block;
    width: 8px;
    height: 8px;
    margin-right: 6px;
    border-radius: 2px;
    background: var(--kind-background);
  }
  .kind.demand {
    background: var(--kind-demand);
    border-radius: 50%;
  }
  .kind.launch {
    background: var(--kind-launch);
    transform: rotate(45deg) scale(0.85);
  }
`;

/** Of waterfall-list.ts. */
export const listStyles = css`
  :host {
    --name: minmax(120px, 30%);
    --block: 72px;
    --took: 72px;
    display: block;
    position: relative;
    overflow: auto;
    container-type: size;
    background: var(--bg);
  }
  :host(:focus-visible) {
    outline: none;
  }
  :host(:focus-visible) .head {
    box-shadow: inset 0 -2px var(--accent);
  }
  :host(:focus-visible) .row[aria-selected='true'] {
    box-shadow: inset 0 0 0 1px var(--accent);
  }
  .head,
  .row {
    display: grid;
    grid-template-columns: var(--name) var(--block) var(--took) minmax(0, 1fr);
  }
  .head {
    position: sticky;
    top: 0;
    z-index: 3;
    height: 22px;
    background: var(--bar);
    border-bottom: 1px solid var(--line);
    color: var(--soft);
    font-weight: 500;
  }
  .head > *,
  .row > * {
    min-width: 0;
    padding: 0 8px;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .head > *:not(:last-child) {
    border-right: 1px solid var(--line);
    line-height: 21px;
  }
  .head > button {
    height: 21px;
    border-radius: 0;
    border-width: 0 1px 0 0;
    background: none;
    text-align: right;
    color: inherit;
  }
  .body {
    position: relative;
  }
  .row {
    position: absolute;
    left: 0;
    right: 0;
    height: 20px;
    line-height: 20px;
    contain: strict;
  }
  .row.odd {
    background: color-mix(in srgb, var(--bar) 60%, transparent);
  }
  .row:hover {
    background: var(--hover);
  }
  .row[aria-selected='true'] {
    background: var(--select);
  }
  .row.fetch > .path {
    color: var(--soft);
  }
  .row.failed > .path,
  .row.failed > .took {
    color: var(--bad);
  }
  .path {
    direction: ltr;
  }
  .block,
  .took {
    text-align: right;
  }
  .block {
    color: var(--soft);
  }
  .ruler,
  .time {
    position: relative;
    padding: 0 !important;
    border-left: 1px solid transparent;
  }
  .time {
    background: linear-gradient(to right, color-mix(in srgb, var(--line) 65%, transparent) 1px, transparent 1px)
      var(--tick-offset, 0) 0 / var(--tick-step, 100px) 100%;
  }
  .ruler > span {
    position: absolute;
    top: 0;
    line-height: 21px;
    padding-left: 4px;
    font-weight: 400;
    font-size: 11px;
    border-left: 1px solid var(--line);
  }
  .bar {
    position: absolute;
    top: 5px;
    height: 10px;
    min-width: 1px;
  }
  .fetch .bar {
    top: 7px;
    height: 6px;
  }
  .bar.hit {
    top: 6px;
    width: 3px;
    height: 8px;
    margin-left: -1px;
    border-radius: 1px;
  }
  .marks {
    position: absolute;
    inset: 0;
    z-index: 2;
    display: grid;
    grid-template-columns: var(--name) var(--block) var(--took) minmax(0, 1fr);
    pointer-events: none;
  }
  .marks > div {
    grid-column: 4;
    position: relative;
    overflow: hidden;
  }
  .marks i {
    position: absolute;
    top: 0;
    bottom: 0;
    width: 1px;
    background: var(--accent);
    opacity: 0.7;
  }
  .marks i.late {
    background: var(--warn);
  }
  @container (max-width: 620px) {
    .head,
    .row,
    .marks {
      grid-template-columns: minmax(96px, 36%) 0 64px minmax(0, 1fr);
    }
    .block {
      padding: 0 !important;
      border: 0 !important;
    }
  }
`;
