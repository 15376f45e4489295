import { releaseAttribute, wholeAttribute } from '../protocol/messages.ts';
import { runApp } from './app.ts';
import { type BootRecord, boot } from './boot.ts';
import { siteOfClient } from './site.ts';

// One script, two roles: a boot page carries a record, every other page is the app's.
const record = document.getElementById('sluice-boot');
if (record !== null) {
  void boot(JSON.parse(record.textContent ?? '') as BootRecord);
} else if (document.currentScript instanceof HTMLScriptElement) {
  const script = document.currentScript;
  const [image, bytes] = (script.getAttribute(releaseAttribute) ?? '').split(' ');
  runApp(siteOfClient(script.src), {
    ...(image && bytes ? { release: { image, bytes: Number(bytes) } } : {}),
    isWhole: script.hasAttribute(wholeAttribute),
  });
}
