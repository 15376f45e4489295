import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyPage, prepareApp, type TestApp } from './test-app.ts';

const RATE = 22_050;
const SECONDS = 300;

/** A page with five minutes of sound (13 MB of WAV) that it seeks in and plays. */
export function mediaApp(): Promise<TestApp> {
  return prepareApp({
    name: 'media',
    expected: { duration: SECONDS, soughtTo: [290, 12.5, 150, 299], played: true },
    packages: [],
    sources: ['media.ts', 'pages/media.html'],
    build: async (dir) => {
      await copyPage('pages/media.html', dir);
      await writeFile(join(dir, 'sound.wav'), makeWav());
    },
  });
}

/** 16-bit mono PCM; every second has a tone of its own. Integers only, so that every machine makes the same bytes. */
function makeWav(): Uint8Array {
  const dataLength = RATE * SECONDS * 2;
  const wav = Buffer.alloc(44 + dataLength);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + dataLength, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20); // PCM
  wav.writeUInt16LE(1, 22); // channels
  wav.writeUInt32LE(RATE, 24);
  wav.writeUInt32LE(RATE * 2, 28); // bytes per second
  wav.writeUInt16LE(2, 32); // bytes per frame
  wav.writeUInt16LE(16, 34); // bits per sample
  wav.write('data', 36);
  wav.writeUInt32LE(dataLength, 40);
  for (let i = 0; i < RATE * SECONDS; i++) {
    const period = 40 + (Math.floor(i / RATE) % 100);
    const phase = i % period;
    const triangle = Math.abs(2 * phase - period); // 0 to period
    wav.writeInt16LE(Math.floor((triangle * 12_000) / period) - 6000, 44 + 2 * i);
  }
  return wav;
}
