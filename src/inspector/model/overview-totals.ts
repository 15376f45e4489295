import { formatBytes, formatNumberOf } from '../../format/quantity.ts';
import type { InspectedTab, InspectedVersion } from '../../protocol/inspection.ts';
import { countTabs } from './image-users.ts';

/** What there is of all sites together, in a line. Sizes count what images of a site share with each of them. */
export function overviewTotals(
  sites: readonly {
    readonly tabs: readonly InspectedTab[];
    readonly versions: readonly InspectedVersion[] | undefined;
  }[],
): string {
  const images = sites.flatMap(({ versions }) => versions ?? []);
  const tabs = sites.flatMap((site) => site.tabs);
  const bytes = images.reduce((sum, image) => sum + image.bytes, 0);
  return [
    formatNumberOf(sites.length, 'site'),
    formatNumberOf(images.length, 'image'),
    formatNumberOf(countTabs(tabs), 'tab'),
    `${formatBytes(bytes)} here`,
  ].join(' · ');
}
