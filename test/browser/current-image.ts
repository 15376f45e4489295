import type { Page } from '@playwright/test';
import { releaseSettingName } from '../../src/protocol/messages.ts';
import { keptSetting } from './kept-setting.ts';

/** SHA-256 of the image that the service worker of the scope, of the page's origin, gives to new pages, by the record that it keeps. */
export async function currentImage(page: Page, scope = '/'): Promise<string | undefined> {
  const record = await keptSetting(page, releaseSettingName(`${new URL(page.url()).origin}${scope}`));
  return (record as { readonly image: string } | undefined)?.image;
}
