import type { FuzzTarget } from './fuzz-target.ts';
import { answers } from './targets/answers.ts';
import { blockTable } from './targets/block-table.ts';
import { lz4Blocks, zstdBlocks } from './targets/blocks.ts';
import { bootstrap } from './targets/bootstrap.ts';
import { html } from './targets/html.ts';
import { journal } from './targets/journal.ts';
import { fromLoaders, ofPages, peerCalls, scopeNews, toLoaders } from './targets/messages.ts';
import { overlay } from './targets/overlay.ts';
import { paths } from './targets/paths.ts';
import { ranges } from './targets/ranges.ts';
import { releaseText } from './targets/release.ts';
import { sourcePort } from './targets/source-port.ts';
import { traces } from './targets/traces.ts';

/** Every parser of bytes, texts and messages that somebody else has made. */
export const fuzzTargets: readonly FuzzTarget[] = [
  bootstrap,
  blockTable,
  journal,
  overlay,
  lz4Blocks,
  zstdBlocks,
  toLoaders,
  fromLoaders,
  ofPages,
  peerCalls,
  scopeNews,
  sourcePort,
  ranges,
  answers,
  paths,
  html,
  releaseText,
  traces,
];
