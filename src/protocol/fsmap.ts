export type { FsmapFlag, FsmapKey, FsmapOwner, FsmapPage, FsmapQuery, FsmapRow } from '../format/fsmap.ts';
