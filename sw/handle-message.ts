import { isPageMessage } from '../src/protocol/guards.ts';
import { protocolVersion } from '../src/protocol/messages.ts';
import { route } from './route.ts';
import type { Site } from './site.ts';

/**
 * What pages tell and ask. Another app of the origin can find our registration and post to it, so only clients below our scope are
 * heard, and only messages that look right.
 */
export function handleMessage(site: Site, event: ExtendableMessageEvent): void {
  const { source, data, ports } = event;
  if (!(source instanceof Client) || !source.url.startsWith(site.scope) || !isPageMessage(data)) {
    for (const port of ports) port.close();
    return;
  }
  for (const port of ports.slice(1)) port.close();
  switch (data.type) {
    case 'sluice:loader-port':
      if (ports[0] && data.version === protocolVersion) site.ports.add(ports[0], source.id);
      else ports[0]?.close();
      break;
    case 'sluice:release':
      event.waitUntil(
        site
          .adopt(data.release)
          .catch((error: unknown) => console.warn('sluice: the new release is not taken', error)),
      );
      break;
    case 'sluice:has-path':
      event.waitUntil(answerHasPath(site, data.url, ports[0]));
      break;
    case 'sluice:mappings':
      event.waitUntil(answerMappings(site, ports[0]));
      break;
    case 'sluice:stay-awake':
      site.longAnswers.stayAwake(event);
      break;
    case 'sluice:settings':
      event.waitUntil(site.readTimeouts.set(source.id, data.readTimeoutMs));
      break;
  }
}

/** A page that asks its loader next hears of all that was read here. */
async function answerMappings(site: Site, port: MessagePort | undefined): Promise<void> {
  site.served.flush();
  port?.postMessage(await site.mappings());
}

async function answerHasPath(site: Site, url: string, port: MessagePort | undefined): Promise<void> {
  let has = true;
  try {
    const version = await site.version('');
    const found = route({ method: 'GET', mode: 'navigate', url }, site.scope, version?.image);
    has = found.to === 'file' || found.to === 'redirect';
  } catch (error) {
    // Not known: a reload shows what is wrong in its own words.
    console.warn('sluice: the image cannot be opened', error);
  }
  port?.postMessage(has);
}
