import type { BrowserContext, CDPSession, Page } from '@playwright/test';
import { until } from './until.ts';

interface TargetInfo {
  readonly targetId: string;
  readonly type: string;
  readonly url: string;
}

/**
 * A target that the driver does not know: DevTools’ window, or a frame of an extension in it. Messages are wrapped (the protocol's older way), since the driver
 * gives no way to the sessions of its own targets' children.
 */
class Target {
  readonly #browser: CDPSession;
  readonly #sessionId: string;
  readonly #calls = new Map<number, { resolve(value: unknown): void; reject(reason: unknown): void }>();
  #lastId = 0;

  private constructor(browser: CDPSession, sessionId: string) {
    this.#browser = browser;
    this.#sessionId = sessionId;
    browser.on('Target.receivedMessageFromTarget', (event) => {
      if (event.sessionId !== sessionId) return;
      const { id, result, error } = JSON.parse(event.message);
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      if (error) call?.reject(new Error(error.message));
      else call?.resolve(result);
    });
  }

  static async attach(browser: CDPSession, targetId: string): Promise<Target> {
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: false });
    return new Target(browser, sessionId);
  }

  async send<T>(method: string, params: object = {}): Promise<T> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise<unknown>((resolve, reject) => this.#calls.set(id, { resolve, reject }));
    const message = JSON.stringify({ id, method, params });
    await this.#browser.send('Target.sendMessageToTarget', { sessionId: this.#sessionId, message });
    return (await answer) as T;
  }

  /** The value of an expression, or of its promise. It runs as if a visitor had just clicked. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send<{
      result: { value: T };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true, userGesture: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }
}

/** Chrome's DevTools, as they open for a page, with the panel of an extension. */
export class Devtools {
  readonly #browser: CDPSession;
  readonly #window: Target;
  readonly #extension: string;

  private constructor(browser: CDPSession, window: Target, extension: string) {
    this.#browser = browser;
    this.#window = window;
    this.#extension = `chrome-extension://${extension}`;
  }

  /** Loads the unpacked extension in `dir` into the browser (started with `extensions`), and opens DevTools for the page. */
  static async open(context: BrowserContext, page: Page, dir: string): Promise<Devtools> {
    const browser = await context.browser()!.newBrowserCDPSession();
    // The driver's types are of an older protocol.
    const send = browser.send as (method: string, params: object) => Promise<Record<string, string>>;
    const { id } = await send.call(browser, 'Extensions.loadUnpacked', { path: dir });
    const own = await context.newCDPSession(page);
    const { targetInfo } = await own.send('Target.getTargetInfo');
    await own.detach();
    const { targetId } = await send.call(browser, 'Target.openDevTools', { targetId: targetInfo.targetId });
    return new Devtools(browser, await Target.attach(browser, targetId!), id!);
  }

  /** Shows a panel of DevTools by its id, as a click on its tab does. */
  async show(panel: string): Promise<void> {
    // DevTools' own modules: there is no other way to its tabs that does not depend on how wide its window is.
    await until(() =>
      this.#window.evaluate(`(async () => {
        const { InspectorView } = (await import('./ui/legacy/legacy.js')).InspectorView;
        const view = InspectorView.instance();
        if (!view.tabbedPane.tabIds().includes(${JSON.stringify(panel)})) return false;
        await view.showPanel(${JSON.stringify(panel)});
        return true;
      })()`),
    );
  }

  /** Shows the extension's panel of this title, and gives its page, whose file is named. */
  async showPanel(title: string, file: string): Promise<DevtoolsPanel> {
    const id = `${this.#extension}${title}`;
    await this.show(id);
    const url = `${this.#extension}/${file}`;
    let found: TargetInfo | undefined;
    await until(async () => {
      // What is no page, too.
      const { targetInfos } = await this.#browser.send('Target.getTargets', { filter: [{}] });
      found = targetInfos.find((info) => info.url === url);
      return found !== undefined;
    });
    return new DevtoolsPanel(id, await Target.attach(this.#browser, found!.targetId));
  }

  /** Downloads of all pages, those of extensions too, go into the folder, under their own names. */
  async downloadInto(dir: string): Promise<void> {
    await this.#browser.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: dir });
  }

  /** The whole window of DevTools, as a PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.#window.send<{ data: string }>('Page.captureScreenshot');
    return Buffer.from(data, 'base64');
  }
}

/** The page of an extension's panel. */
export class DevtoolsPanel {
  /** What DevTools calls the panel. */
  readonly id: string;
  readonly #target: Target;

  constructor(id: string, target: Target) {
    this.id = id;
    this.#target = target;
  }

  evaluate<T>(expression: string): Promise<T> {
    return this.#target.evaluate(expression);
  }

  /** What choosing the file in the dialog of an `<input type="file">` does; the expression is the element. */
  async chooseFile(input: string, path: string): Promise<void> {
    const { result } = await this.#target.send<{ result: { objectId: string } }>('Runtime.evaluate', {
      expression: input,
    });
    await this.#target.send('DOM.setFileInputFiles', { objectId: result.objectId, files: [path] });
  }

  /** All text that is shown, shadow trees too. */
  text(): Promise<string> {
    return this.evaluate(`(() => {
      const text = (node) => {
        if (node instanceof Element && (node.localName === 'style' || node.localName === 'script' || !node.checkVisibility())) return '';
        if (node instanceof Text) return node.data;
        return [...(node.shadowRoot ?? node).childNodes].map(text).join(' ');
      };
      return text(document.body).replace(/\\s+/g, ' ').trim();
    })()`);
  }
}
