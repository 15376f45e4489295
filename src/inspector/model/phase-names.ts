import type { Phase } from './waterfall-rows.ts';

/** In the order in which they follow each other. */
export const phaseNames: Readonly<Record<Phase, { readonly name: string; readonly meaning: string }>> = {
  queued: { name: 'Queued', meaning: 'the loader had not asked for it yet' },
  requested: { name: 'Requested', meaning: 'asked for; no byte had come' },
  receiving: { name: 'Receiving', meaning: 'its bytes, and those before it, came' },
  verifying: { name: 'Verifying', meaning: 'compared with its digest' },
  decoding: { name: 'Decoding', meaning: 'made what the app reads' },
  waiting: { name: 'Waiting', meaning: 'for what, is not known' },
};
