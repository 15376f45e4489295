/** DevTools’ own page of the extension: it adds the panel, and tells it when it is seen. */
chrome.devtools.panels.create('Sluice', 'icon-32.png', 'panel.html', (panel) => {
  let page: Window | undefined;
  panel.onShown.addListener((shown) => {
    page = shown;
    page.dispatchEvent(new Event('sluice:shown'));
  });
  panel.onHidden.addListener(() => page?.dispatchEvent(new Event('sluice:hidden')));
});
