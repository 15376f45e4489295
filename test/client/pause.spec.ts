import { expect, test } from '@playwright/test';
import { pause } from '../../src/client/pause.ts';

test('a pause ends when the network comes back, and at its time', async () => {
  const window = new EventTarget();
  const { addEventListener, removeEventListener } = globalThis;
  Object.assign(globalThis, {
    addEventListener: window.addEventListener.bind(window),
    removeEventListener: window.removeEventListener.bind(window),
  });
  try {
    const long = pause(1_000_000);
    window.dispatchEvent(new Event('online'));
    expect(await long).toBeUndefined();
    expect(await pause(1)).toBeUndefined();
  } finally {
    Object.assign(globalThis, { addEventListener, removeEventListener });
  }
});
