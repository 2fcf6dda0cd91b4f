// A Chromium that watches a page: every picture is checked for accessibility, and errors in the browser's console, broken
// security policies and scripts of strangers are faults.
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const wide = { width: 1360, height: 860 };
const narrow = { width: 400, height: 800 };

export const looks = [
  { name: 'en', language: 'en', scheme: 'light', size: wide },
  { name: 'zh', language: 'zh', scheme: 'light', size: wide },
  { name: 'dark', language: 'en', scheme: 'dark', size: wide },
  { name: 'narrow', language: 'en', scheme: 'light', size: narrow },
  { name: 'narrow-dark', language: 'zh', scheme: 'dark', size: narrow },
];

export class Watch {
  faults = [];

  static async start(out) {
    const watch = new Watch();
    watch.out = out;
    await mkdir(out, { recursive: true });
    watch.axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    watch.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-default-apps', '--autoplay-policy=no-user-gesture-required', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    });
    return watch;
  }

  /** `refusals`: requests may be refused with any status, and sockets may fail, as part of a play. */
  async open(page, look, { refusals = false } = {}) {
    const fault = (text) => this.faults.push(`${page} ${look.name}: ${text}`);
    // Nobody is signed in at first, and the page asks.
    const expected = refusals ? /status of 4\d\d|WebSocket|ERR_FAILED/ : /status of 401/;
    const context = await this.browser.newContext({ viewport: look.size, colorScheme: look.scheme, reducedMotion: 'reduce', locale: look.language === 'zh' ? 'zh-CN' : 'en-GB' });
    await context.addInitScript((language) => {
      localStorage.setItem('branchline.language', language);
      document.addEventListener('securitypolicyviolation', (event) => console.error(`policy ${event.violatedDirective} was broken by ${event.blockedURI}`));
    }, look.language);
    const tab = await context.newPage();
    tab.on('console', (message) => message.type() === 'error' && !expected.test(message.text()) && fault(`${message.text()} (${message.location().url})`));
    tab.on('pageerror', (error) => fault(error.stack ?? String(error)));
    tab.on('dialog', (dialog) => {
      fault(`a stranger's script ran: ${dialog.message()}`);
      void dialog.dismiss();
    });
    const shot = async (name) => {
      await tab.waitForTimeout(250);
      const found = await tab.evaluate(`${this.axe}; axe.run(document, { resultTypes: ['violations'] })`);
      for (const { id, impact, nodes } of found.violations) {
        if (impact !== 'serious' && impact !== 'critical') continue;
        for (const node of nodes.slice(0, 3)) fault(`${name}: ${impact} ${id} ${node.target.join(' ')}: ${node.any[0]?.message ?? node.all[0]?.message ?? ''}`);
      }
      const wider = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wider > 0) fault(`${name}: the page is ${wider} px wider than its window`);
      await tab.screenshot({ path: join(this.out, `${page}-${look.name}-${name}.png`), fullPage: look.size.width < 600 });
    };
    return { tab, shot, fault, close: () => context.close() };
  }

  async end() {
    await this.browser.close();
    for (const fault of this.faults) console.error(fault);
    console.log(this.faults.length === 0 ? `all clean, see ${this.out}` : `${this.faults.length} faults, see ${this.out}`);
    process.exitCode = this.faults.length === 0 ? 0 : 1;
  }
}
