/** An element of ours for the app's page, not in it yet, and the root of what it shows. */
export interface ShadowHost {
  readonly host: HTMLElement;
  readonly shadow: ShadowRoot;
}

/** It shares no style with the page: a shadow tree, and a constructed style sheet, which a policy that forbids inline styles allows. */
export function shadowHost(document: Document, tag: string, css: string): ShadowHost {
  const host = document.createElement(tag);
  const shadow = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  shadow.adoptedStyleSheets = [sheet];
  return { host, shadow };
}
