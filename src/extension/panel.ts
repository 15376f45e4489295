import type { InspectorHome } from '../inspector/home.ts';
import { SluiceInspector } from '../inspector/sluice-inspector.ts';
import { systemClock } from '../protocol/clock.ts';
import { DevtoolsHome } from './devtools-home.ts';
import { evaluate } from './evaluate.ts';
import { PanelLife, type PanelView } from './panel-life.ts';

/** The page of the panel: `<sluice-inspector>`, or a word on why there is none. */
customElements.define('sluice-inspector', SluiceInspector);
const inspector = new SluiceInspector();
const text = document.querySelector<HTMLElement>('[role="status"]')!;

function setTheme(name: string): void {
  const theme = name === 'dark' ? 'dark' : 'light';
  inspector.setAttribute('theme', theme);
  document.documentElement.dataset.theme = theme;
}
setTheme(chrome.devtools.panels.themeName);
chrome.devtools.panels.setThemeChangeHandler(setTheme);

const view: PanelView = {
  get isBusy() {
    return inspector.isBusy;
  },
  show(home: InspectorHome): void {
    view.clear();
    inspector.home = home;
    document.body.append(inspector);
  },
  tell(message: string): void {
    inspector.remove();
    text.textContent = message;
  },
  clear(): void {
    inspector.remove();
    text.textContent = '';
  },
};
const life = new PanelLife({
  open: (onEnd) => DevtoolsHome.open({ evaluate, onEnd }),
  view,
  clock: systemClock,
});

// DevTools makes this page when the panel is shown for the first time.
let isShown = true;
const look = (): void => {
  life.isShown = isShown && document.visibilityState === 'visible';
};
addEventListener('sluice:shown', () => {
  isShown = true;
  look();
});
addEventListener('sluice:hidden', () => {
  isShown = false;
  look();
});
document.addEventListener('visibilitychange', look);
addEventListener('pagehide', () => {
  isShown = false;
  look();
});
chrome.devtools.network.onNavigated.addListener(() => life.navigated());
look();
