/**
 * A page that launches in sight says to its loader, so often, that its main thread runs: a beat that comes late tells of a long task, silence of one that goes on. As
 * a number, because comlink passes over what is falsy.
 */
export const pageBeat = 0;
export const pageBeatMs = 250;
/** An app that keeps its main thread busy for longer than this lives so. */
export const pageBeatsMs = 30_000;
