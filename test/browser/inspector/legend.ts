import type { Page } from '@playwright/test';

/** What a test sees of the block map's legend: how many blocks are in which state, by its word. */
export async function legend(panel: Page): Promise<Readonly<Record<string, number>>> {
  const words = await panel.locator('sluice-block-map-view .legend button').allInnerTexts();
  return Object.fromEntries(
    words.map((line) => {
      const [, word, count] = /^(.*\D)\s*([\d,]+)$/s.exec(line.trim())!;
      return [word!.trim(), Number(count!.replaceAll(',', ''))];
    }),
  );
}
