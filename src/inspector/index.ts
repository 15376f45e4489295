import { PageHome } from './page-home.ts';
import { SluiceInspector } from './sluice-inspector.ts';

/**
 * `__sluice/inspector.js`: defines `<sluice-inspector>` for pages of the inspected origin. The site is the one that the script came from.
 */
class PageInspector extends SluiceInspector {
  constructor() {
    super();
    this.home = new PageHome(scope);
  }
}

const script = document.currentScript;
const scope = script instanceof HTMLScriptElement && script.src ? new URL('../', script.src).href : undefined;

if (!customElements.get('sluice-inspector')) customElements.define('sluice-inspector', PageInspector);
