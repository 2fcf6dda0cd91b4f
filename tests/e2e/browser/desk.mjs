// Drives the box's own desk page in a real Chromium, as a person would: commands as JSON lines on standard input, answers
// as JSON lines on standard output. Its microphone is a WAV file; what its calls bring is written down.
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { trusted } from './trusted.mjs';

const RATE = 16000;
const plan = JSON.parse(process.argv[2]);

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  headless: true,
  args: [
    ...(await trusted(plan.url, plan.ca)),
    '--no-sandbox',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-audio-capture=${plan.microphone}`,
    '--allow-loopback-in-peer-connection',
  ],
});
const context = await browser.newContext({ locale: plan.language === 'zh' ? 'zh-CN' : 'en-GB', viewport: { width: 1360, height: 860 } });
let heard = [];
const faults = [];
await context.exposeFunction('branchlineHeard', (text) => void heard.push(Buffer.from(text, 'base64')));
// What comes of a far end is heard by the page, and by us: the page knows nothing of it.
await context.addInitScript((rate) => {
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...given) {
      super(...given);
      this.addEventListener('track', ({ track, streams }) => {
        const audio = new AudioContext({ sampleRate: rate });
        const tap = audio.createScriptProcessor(4096, 1, 1);
        tap.onaudioprocess = ({ inputBuffer }) => {
          const samples = Int16Array.from(inputBuffer.getChannelData(0), (x) => Math.max(-1, Math.min(1, x)) * 32767);
          void window.branchlineHeard(btoa(String.fromCharCode(...new Uint8Array(samples.buffer))));
        };
        audio.createMediaStreamSource(streams[0] ?? new MediaStream([track])).connect(tap);
        tap.connect(audio.destination);
      });
    }
  };
}, RATE);
const page = await context.newPage();
page.on('console', (message) => {
  console.error(message.text());
  if (message.type() === 'error' && !/status of 401/.test(message.text())) faults.push(message.text());
});
page.on('pageerror', (error) => faults.push(error.stack ?? String(error)));

const found = ({ css, role, name, nth = 0 }) => (css ? page.locator(css) : page.getByRole(role, { name, exact: true })).nth(nth);
const acts = {
  open: () => page.goto(plan.url),
  reload: () => page.reload(),
  // `force`: what a person clicks lies over what a reader of screens names.
  click: ({ force = false, ...what }) => found(what).click({ force }),
  fill: ({ text, ...what }) => found(what).fill(text),
  press: ({ key }) => page.keyboard.press(key),
  see: ({ ms = 30000, ...what }) => found(what).waitFor({ timeout: ms }),
  gone: ({ ms = 30000, ...what }) => found(what).waitFor({ state: 'detached', timeout: ms }),
  text: async ({ text, ms = 30000 }) => page.getByText(text).first().waitFor({ timeout: ms }),
  shot: ({ file }) => page.screenshot({ path: file }),
  ask: ({ js }) => page.evaluate(js),
  forget: () => void (heard = []),
  faults: () => faults,
  heard: ({ file }) => {
    const samples = Buffer.concat(heard);
    const head = Buffer.alloc(44);
    head.write('RIFF', 0);
    head.writeUInt32LE(36 + samples.length, 4);
    head.write('WAVEfmt ', 8);
    head.writeUInt32LE(16, 16);
    head.writeUInt16LE(1, 20);
    head.writeUInt16LE(1, 22);
    head.writeUInt32LE(RATE, 24);
    head.writeUInt32LE(2 * RATE, 28);
    head.writeUInt16LE(2, 32);
    head.writeUInt16LE(16, 34);
    head.write('data', 36);
    head.writeUInt32LE(samples.length, 40);
    writeFileSync(file, Buffer.concat([head, samples]));
  },
};

const tell = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const { act, ...what } = JSON.parse(line);
  try {
    tell({ done: (await acts[act](what)) ?? null });
  } catch (error) {
    const body = await page.evaluate(() => document.body.innerText).catch(() => '');
    tell({ failed: String(error), page: body.slice(0, 2000), faults });
  }
}
await browser.close();
