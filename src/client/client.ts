import { releaseAttribute, wholeAttribute } from '../protocol/messages.ts';
import { runApp } from './app.ts';
import { type BootRecord, boot } from './boot.ts';
import { siteOfClient } from './site.ts';

// One script, two roles: a boot page carries a record, every other page is the app's.
const script = document.currentScript;
const record = document.getElementById('sluice-boot');
if (script instanceof HTMLScriptElement) {
  const site = siteOfClient(script.src);
  if (record !== null) {
    // Gone: what looks for the site from a page of another folder need look no further.
    record.remove();
    void boot(site, JSON.parse(record.textContent ?? '') as BootRecord);
  } else {
    // The app finds its page as it wrote it: the first script may tell it where it lies, and what it compares its markup with knows none of ours.
    script.remove();
    const [image, bytes] = (script.getAttribute(releaseAttribute) ?? '').split(' ');
    runApp(site, {
      ...(image && bytes ? { release: { image, bytes: Number(bytes) } } : {}),
      isWhole: script.hasAttribute(wholeAttribute),
    });
  }
}
