import { expect, test } from '@playwright/test';
import { findChromium } from '../../scripts/find-browsers.mjs';

test('a SLUICE_CHROMIUM that cannot be run is refused by name, not passed over', async () => {
  const before = process.env.SLUICE_CHROMIUM;
  process.env.SLUICE_CHROMIUM = '/nowhere/chromium';
  try {
    await expect(findChromium()).rejects.toThrow('/nowhere/chromium');
    process.env.SLUICE_CHROMIUM = process.execPath;
    expect(await findChromium()).toBe(process.execPath);
  } finally {
    if (before === undefined) delete process.env.SLUICE_CHROMIUM;
    else process.env.SLUICE_CHROMIUM = before;
  }
});
