import { expect, test } from '@playwright/test';
import { freePort } from '../support/free-port.ts';

test('no port comes twice: a browser that is shared would have what was stored for the site before', async () => {
  const ports: number[] = [];
  for (let i = 0; i < 500; i++) ports.push(await freePort());
  expect(new Set(ports).size).toBe(500);
});
