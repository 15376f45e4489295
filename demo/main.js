// An ordinary CesiumJS page: nothing in it needs Sluice. Everything it shows comes from its own site; no ion, no other server.
/* global Cesium */

const caption = document.getElementById('caption');
const { buildModuleUrl, CesiumWidget, Cartesian3, ImageryLayer, Ion, TileMapServiceImageryProvider } = Cesium;
Ion.defaultAccessToken = '';

const imagery = TileMapServiceImageryProvider.fromUrl(buildModuleUrl('Assets/Textures/NaturalEarthII'));
const widget = new CesiumWidget('globe', {
  baseLayer: ImageryLayer.fromProviderAsync(imagery),
  // Draw when something changes, not sixty times a second.
  requestRenderMode: true,
});
const { scene, camera } = widget;
// Air costs a software renderer more than everything else together: it comes after the first view.
showAir(false);
camera.setView({ destination: Cartesian3.fromDegrees(12, 24, 17_000_000) });

/** Resolves when every tile of the first view is drawn. For tests and benchmarks. */
window.__ready = imagery.then(firstView);

function firstView() {
  const layer = scene.imageryLayers.get(0);
  return new Promise((resolve) => {
    let frames = 0;
    let calm = 0;
    const stop = scene.postRender.addEventListener(() => {
      frames = layer.ready ? frames + 1 : 0;
      // In the first frames with the layer its tiles have not been asked for yet; later a frame may be calm between two levels.
      calm = frames > 2 && scene.globe.tilesLoaded ? calm + 1 : 0;
      if (calm < 2) {
        scene.requestRender();
        return;
      }
      stop();
      resolve(performance.now());
    });
    scene.requestRender();
  });
}

function showAir(show) {
  scene.globe.showGroundAtmosphere = show;
  scene.skyAtmosphere.show = show;
  scene.requestRender();
}

/** Only where frames are cheap and motion is welcome. */
async function rotateUntilTouched() {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const frame = () => new Promise(requestAnimationFrame);
  for (let frames = 0; frames < 5; frames += 1) {
    scene.requestRender();
    const before = await frame();
    if ((await frame()) - before > 50) return;
  }
  let touched = false;
  for (const type of ['pointerdown', 'wheel', 'keydown']) {
    addEventListener(type, () => (touched = true), { once: true, passive: true });
  }
  let before = performance.now();
  requestAnimationFrame(function turn(now) {
    if (touched) return;
    camera.rotate(Cartesian3.UNIT_Z, -(now - before) * 2e-5);
    before = now;
    requestAnimationFrame(turn);
  });
}

const readyMs = await window.__ready;
caption.textContent = `The first view was drawn after ${(readyMs / 1000).toFixed(1)} s`;
showAir(true);
// The one thing that knows of Sluice, and only to tell what it did.
if (window.sluice) {
  window.sluice.showProgress = true;
  const { bytes } = await window.sluice.state();
  const share = Math.round((bytes.present / bytes.total) * 100);
  caption.textContent += `, with ${share} % of ${(bytes.total / 1e6).toFixed(1)} MB here. Drag to turn.`;
}
rotateUntilTouched();
