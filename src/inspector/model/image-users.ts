import { formatNumberOf } from '../../format/quantity.ts';
import type { InspectedTab } from '../../protocol/inspection.ts';

/** Who uses an image, in a few words: how many tabs, or else that an inspector looks into it. `undefined`: nobody. */
export function imageUsers(
  image: string,
  tabs: readonly Pick<InspectedTab, 'image' | 'isInspector'>[],
): string | undefined {
  const users = tabs.filter((tab) => tab.image === image);
  const count = countTabs(users);
  if (count > 0) return formatNumberOf(count, 'tab');
  return users.length > 0 ? 'an inspector' : undefined;
}

/** A loader that only looks into the store is no tab. */
export function countTabs(tabs: readonly Pick<InspectedTab, 'isInspector'>[]): number {
  return tabs.filter(({ isInspector }) => !isInspector).length;
}
