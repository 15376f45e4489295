import { formatBytes, formatMs, formatNumberOf, formatShare } from '../../format/quantity.ts';
import { type InspectedRead, mostMadeFiles } from '../../protocol/inspection.ts';
import { countTabs } from './image-users.ts';
import { formatBlock } from './labels.ts';
import type { Snapshot } from './snapshot.ts';
import { waterfallTotals } from './waterfall-totals.ts';
import { withoutSecretsIn } from './without-secrets.ts';

const listed = { errors: 50, waits: 20, made: 50 } as const;

/**
 * What somebody who was not there needs to know, as Markdown: a few lines for people, then all of the state as JSON for programs. It names paths of the app, and holds neither content
 * nor anything of a URL behind its path.
 */
export function diagnosticReport(snapshot: Snapshot, browser: string): string {
  const { inspection, scope, errors } = snapshot;
  const {
    state,
    at,
    made,
    blocks: _,
    cursor: __,
    reads: ___,
    fetches: ____,
    errors: _____,
    ...rest
  } = inspection;
  const totals = waterfallTotals(snapshot.reads, snapshot.fetches);
  const details = withoutSecretsIn({
    report: 1,
    at: new Date(at).toISOString(),
    browser,
    scope,
    state,
    ...rest,
    totals,
    made: made.slice(0, listed.made),
    longestWaits: longestWaits(snapshot.reads),
    errors: errors.slice(-listed.errors),
  });
  const { present, total } = state.blocks;
  const lines = [
    '# Sluice: diagnostic report',
    '',
    `- Image \`${state.image}\`, ${state.complete ? 'complete' : `${formatShare(present, total)} here`} (${present} of ${total} blocks, ${formatBytes(state.bytes.present)} of ${formatBytes(state.bytes.total)})`,
    `- Loader: ${state.loader.activity}, ${state.loader.health}; ${formatNumberOf(countTabs(inspection.tabs), 'tab')}; storage: ${inspection.storage.kind}`,
    `- Files made at run time: ${made.length}${made.length === mostMadeFiles ? ' or more' : ''}; the tree was changed ${formatNumberOf(state.sequence, 'time')}`,
    `- Reads: ${totals.reads}, of which ${totals.waited} waited, the longest ${formatMs(totals.longestWait)}; ${inspection.pending.length} wait now`,
    `- Requests: ${totals.requests} listed; ${state.loader.retries} retries, ${state.loader.errors} errors`,
    '',
    '```json',
    JSON.stringify(details, undefined, 2),
    '```',
    '',
  ];
  return lines.join('\n');
}

function longestWaits(reads: readonly InspectedRead[]): unknown[] {
  return reads
    .filter(({ waitedMs }) => waitedMs > 0)
    .sort((a, b) => b.waitedMs - a.waitedMs)
    .slice(0, listed.waits)
    .map(({ path, blob, block, at, waitedMs, failed }) => ({
      path,
      block: formatBlock(blob, block),
      at,
      waitedMs,
      ...(failed === undefined ? {} : { failed }),
    }));
}
