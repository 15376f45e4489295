import { shadowHost } from './shadow-host.ts';

const tag = 'sluice-reload';

const css = `
:host { all: initial; position: fixed; left: 12px; right: 12px; bottom: 12px; z-index: 2147483647; display: flex; justify-content: center;
  pointer-events: none }
div { pointer-events: auto; display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; padding: 8px 8px 8px 16px; border-radius: 10px;
  background: #12181c; color: #fff; font: 14px/20px system-ui, sans-serif; box-shadow: 0 2px 12px rgb(0 0 0 / .4) }
button { font: inherit; padding: 4px 12px; border: 1px solid #4cc3e6; border-radius: 6px; background: none; color: #fff; cursor: pointer }
button:first-of-type { background: #4cc3e6; color: #12181c }
`;

/**
 * A word at the foot of the page: its version is not on the server any more, a reload brings the next one. It leaves the moment of reloading to the visitor,
 * who may have something open.
 */
export function offerReload(document: Document): void {
  if (document.querySelector(tag) !== null) return;
  const { host, shadow } = shadowHost(document, tag, css);
  host.setAttribute('role', 'alert');
  const box = document.createElement('div');
  const button = (text: string, action: () => void): HTMLElement => {
    const made = document.createElement('button');
    made.type = 'button';
    made.textContent = text;
    made.addEventListener('click', action);
    return made;
  };
  box.append(
    'There is a new version, and parts of this one cannot be loaded any more.',
    button('Reload', () => location.reload()),
    button('Later', () => host.remove()),
  );
  shadow.append(box);
  document.documentElement.append(host);
}
