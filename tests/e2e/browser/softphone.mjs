// Drives a softphone in a real Chromium: commands as lines on standard input, events as JSON lines on standard output.
// Its microphone is a WAV file.
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { trusted } from './trusted.mjs';

const plan = JSON.parse(process.argv[2]);
const entry = fileURLToPath(new URL('page.js', import.meta.url));
const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, format: 'iife', define: { global: 'window' } });
// A microphone needs a secure context, which this is; nothing listens there, the page is handed to the browser.
const origin = 'http://localhost';
const files = { '/page.js': ['text/javascript', outputFiles[0].text], '/': ['text/html', '<!doctype html><title>phone</title><body><script src="/page.js"></script>'] };

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  headless: true,
  args: [
    ...(await trusted(plan.ws, plan.ca)),
    '--no-sandbox',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-audio-capture=${plan.microphone}`,
    '--autoplay-policy=no-user-gesture-required',
    '--allow-loopback-in-peer-connection',
    // A page that no address served is taken for one of the Internet, which may not ask this machine.
    '--disable-features=LocalNetworkAccessChecks',
  ],
});
const page = await browser.newPage();
const tell = (line) => process.stdout.write(`${line}\n`);
page.on('console', (message) => console.error(message.text()));
page.on('pageerror', (error) => console.error(error.message));
await page.exposeFunction('tell', tell);
await page.route(`${origin}/**`, (route) => {
  const [contentType, body] = files[new URL(route.request().url()).pathname] ?? [];
  return body ? route.fulfill({ contentType, body }) : route.abort();
});
await page.goto(`${origin}/`);
await page.evaluate((plan) => window.start(plan), plan);
for await (const line of createInterface({ input: process.stdin })) {
  const [word, value] = line.split(' ');
  if (word === 'call') await page.evaluate((target) => void window.call(target), value);
  if (word === 'digit') await page.evaluate((digit) => window.digit(digit), value);
  if (word === 'hangup') await page.evaluate(() => window.hangUp());
  if (word === 'codec') tell(JSON.stringify({ event: 'codec', codec: await page.evaluate(() => window.codec()) }));
  if (word === 'heard') {
    const samples = Buffer.from(await page.evaluate(() => window.heard()), 'base64');
    const head = Buffer.alloc(44);
    head.write('RIFF', 0);
    head.writeUInt32LE(36 + samples.length, 4);
    head.write('WAVEfmt ', 8);
    head.writeUInt32LE(16, 16);
    head.writeUInt16LE(1, 20);
    head.writeUInt16LE(1, 22);
    head.writeUInt32LE(16000, 24);
    head.writeUInt32LE(32000, 28);
    head.writeUInt16LE(2, 32);
    head.writeUInt16LE(16, 34);
    head.write('data', 36);
    head.writeUInt32LE(samples.length, 40);
    writeFileSync(value, Buffer.concat([head, samples]));
    tell(JSON.stringify({ event: 'written' }));
  }
}
await browser.close();
