// Screenshots of both pages in Chromium, with an accessibility check of every one and a watch on the browser's console.
//
//   npm run build && npm run screens                     pages alone, answers from fixtures.mjs
//   npm run screens -- desk --url http://box:8080 --name li --password …      a running box (or cloud), as it is
//
// Ends with 1 when a page broke a rule of accessibility seriously, logged an error, or broke the security policy.
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import * as fixtures from './fixtures.mjs';
import { serve } from './serve.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    name: { type: 'string' },
    password: { type: 'string' },
    out: { type: 'string', default: resolve(import.meta.dirname, '../screens') },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
    only: { type: 'string' },
  },
});
const pages = positionals.length > 0 ? positionals : ['desk', 'console'];
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const faults = [];

const browser = await chromium.launch({
  executablePath: values.chromium,
  args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-default-apps', '--no-first-run', '--autoplay-policy=no-user-gesture-required'],
});
await mkdir(values.out, { recursive: true });
try {
  for (const page of pages) {
    const server = values.url ? { url: values.url, close: () => {} } : await serve(page);
    for (const look of looks(page)) await (values.url ? real : staged)(page, server.url, look);
    server.close();
  }
} finally {
  await browser.close();
}
for (const fault of faults) console.error(fault);
console.log(faults.length === 0 ? `all clean, see ${values.out}` : `${faults.length} faults, see ${values.out}`);
process.exitCode = faults.length === 0 ? 0 : 1;

function looks(page) {
  const wide = { width: 1360, height: 860 };
  const all = [
    { name: 'en', language: 'en', scheme: 'light', size: wide },
    { name: 'zh', language: 'zh', scheme: 'light', size: wide },
    { name: 'dark', language: 'en', scheme: 'dark', size: wide },
    { name: 'narrow', language: 'en', scheme: 'light', size: { width: 400, height: 800 } },
  ];
  return all.filter((look) => !values.only || `${page}-${look.name}`.includes(values.only));
}

async function open(page, url, look) {
  const context = await browser.newContext({ viewport: look.size, colorScheme: look.scheme, reducedMotion: 'reduce', locale: look.language === 'zh' ? 'zh-CN' : 'en-GB' });
  await context.addInitScript((language) => localStorage.setItem('branchline.language', language), look.language);
  const tab = await context.newPage();
  tab.on('console', (message) => {
    // A refused request is part of the play: nobody is signed in at first.
    if (message.type() === 'error' && !/status of 4\d\d|WebSocket/.test(message.text())) faults.push(`${page} ${look.name}: ${message.text()}`);
  });
  tab.on('pageerror', (error) => faults.push(`${page} ${look.name}: ${error.stack}`));
  tab.on('dialog', (dialog) => {
    faults.push(`${page} ${look.name}: a script of a caller's name ran: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const shot = async (name) => {
    await tab.waitForTimeout(350);
    const found = await tab.evaluate(`${axe}; axe.run(document, { resultTypes: ['violations'] })`);
    for (const { id, impact, nodes } of found.violations) {
      if (impact !== 'serious' && impact !== 'critical') continue;
      for (const node of nodes.slice(0, 3)) faults.push(`${page} ${look.name} ${name}: ${impact} ${id} ${node.target.join(' ')}: ${node.any[0]?.message ?? node.all[0]?.message ?? ''}`);
    }
    await tab.screenshot({ path: join(values.out, `${page}-${look.name}-${name}.png`), fullPage: look.name === 'narrow' });
  };
  return { tab, shot, close: () => context.close() };
}

async function real(page, url, look) {
  const { tab, shot, close } = await open(page, url, look);
  await tab.goto(url);
  await tab.getByRole('button').filter({ hasText: /Sign in|登录/ }).waitFor();
  await shot('sign-in');
  await tab.getByRole('textbox').first().fill(values.name ?? '');
  await tab.locator('input[type=password]').fill(values.password ?? '');
  await tab.keyboard.press('Enter');
  await tab.getByRole(page === 'desk' ? 'tablist' : 'navigation').first().waitFor();
  await tab.waitForTimeout(1500);
  await shot('first');
  const places = page === 'desk' ? await tab.getByRole('tab').all() : await tab.getByRole('navigation').first().getByRole('link').all();
  for (const [index, place] of places.entries()) {
    await place.click({ force: true }).catch(() => {});
    await tab.waitForTimeout(1200);
    await shot(`place-${index}`);
  }
  await close();
}

async function staged(page, url, look) {
  const { tab, shot, close } = await open(page, url, look);
  await (page === 'desk' ? desk : console_)(tab, url, shot, look);
  await close();
}

function json(route, body, status = 200) {
  return route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) });
}

async function desk(tab, url, shot, look) {
  let inside = false;
  let socket = null;
  const say = (message) => socket?.send(JSON.stringify(message));
  await tab.route('**/api/**', (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === '/api/session') {
      const right = route.request().postDataJSON()?.password === 'right';
      inside = right;
      return right ? json(route, fixtures.deskMe) : json(route, { error: { code: 'bad_credentials', message: '', fault: 'request' } }, 401);
    }
    if (!inside) return json(route, { error: { code: 'signed_out', message: '', fault: 'request' } }, 401);
    if (pathname === '/api/me') return json(route, fixtures.deskMe);
    if (pathname === '/api/contacts') return json(route, fixtures.contacts);
    if (pathname === '/api/config') return json(route, { config: fixtures.config, findings: fixtures.findings });
    if (pathname.startsWith('/api/recordings/')) return route.fulfill({ contentType: 'audio/wav', body: fixtures.wav() });
    return json(route, { error: { code: 'not_found', message: '', fault: 'request' } }, 404);
  });
  await tab.routeWebSocket('**/api/desk', (ws) => {
    socket = ws;
    say({ me: fixtures.deskMe });
    say({ board: fixtures.board('ready') });
    ws.onMessage((text) => {
      const { id, ask } = JSON.parse(String(text));
      say(ask === 'dial' ? { refused: { id, code: 'forbidden' } } : { ack: { id } });
    });
  });
  await tab.goto(url);
  await tab.locator('input[type=password]').waitFor();
  await shot('sign-in');
  await tab.getByRole('textbox').first().fill('li');
  await tab.locator('input[type=password]').fill('wrong');
  await tab.keyboard.press('Enter');
  await tab.getByRole('alert').waitFor();
  await shot('sign-in-refused');
  await tab.locator('input[type=password]').fill('right');
  await tab.keyboard.press('Enter');
  await tab.locator('.state-card').waitFor();
  await shot('ready');
  say({ board: fixtures.board('offered') });
  await shot('offered');
  say({ board: fixtures.board('talking', { held: true, from_site: 'harbour' }) });
  await shot('held');
  say({ board: fixtures.board('talking') });
  await tab.locator('#transfer-open').click();
  await tab.getByRole('dialog').waitFor();
  await shot('transfer');
  await tab.keyboard.press('Escape');
  say({ board: fixtures.board('wrap_up') });
  await shot('wrap-up');
  say({ board: { queues: [], agents: fixtures.board('not_ready').agents.filter((a) => a.agent === 'li').map((a) => ({ ...a, phone_registered: false })) } });
  await shot('empty');
  say({ board: fixtures.board('not_ready') });
  await tab.keyboard.press('?');
  await tab.getByRole('dialog').waitFor();
  await shot('shortcuts');
  await tab.keyboard.press('Escape');
  await tab.getByRole('tab').nth(1).click();
  await tab.getByRole('table').waitFor();
  await tab.getByRole('button', { name: /Play|播放/ }).first().click();
  await shot('contacts');
  await tab.getByRole('tab').nth(2).click();
  await tab.getByRole('tab', { name: /^(Queues|队列)$/ }).waitFor();
  await tab.getByRole('button', { name: /Sales/ }).click();
  await tab.getByRole('textbox', { name: /Ring time|振铃时长/ }).fill('400');
  await shot('settings-queues');
  await tab.getByRole('button', { name: /Discard|放弃更改/ }).click();
  await tab.getByRole('tab', { name: /^(Agents|坐席)$/ }).click();
  await tab.getByRole('button', { name: /Sato/ }).click();
  await shot('settings-agents');
  await tab.getByRole('tab', { name: /^(Opening hours|营业时间)$/ }).click();
  await shot('settings-hours');
  if (look.name !== 'en') return;
  await tab.getByRole('tab').first().click();
  await tab.routeWebSocket('**/api/desk', (ws) => ws.close());
  await socket.close();
  await tab.locator('.link-lost').waitFor();
  await shot('lost');
}

async function console_(tab, url, shot, look) {
  let inside = false;
  let none = false;
  await tab.route('**/api/**', (route) => {
    const { pathname, searchParams } = new URL(route.request().url());
    if (pathname === '/api/session') {
      inside = true;
      return route.fulfill({ status: 204 });
    }
    if (!inside) return json(route, { error: { code: 'not_signed_in', message: '', fault: 'you' } }, 401);
    if (pathname === '/api/me') return json(route, { login: 'mei', role: 'administrator' });
    if (pathname === '/api/sites') return json(route, none ? [] : fixtures.sites);
    if (pathname === '/api/sites/north/config') return json(route, { config: fixtures.config, findings: fixtures.findings, heads: '', pending: true });
    if (pathname === '/api/sites/north/changes') return json(route, { error: { code: 'invalid', message: 'ring_s is 400, outside 5 to 300', fault: 'you' }, index: 0 }, 422);
    if (pathname === '/api/sites/north/history') return json(route, fixtures.history);
    if (pathname === '/api/sites/north/enrolment') return json(route, { code: 'BL1-7QK2-M9XD-4TFA-PZ3C-8RWN-5HVJ', expires: Date.now() + 3_600_000 });
    if (pathname === '/api/figures') return json(route, none ? { figures: [], completeness: {} } : fixtures.figures(Number(searchParams.get('from')), Number(searchParams.get('to')), Number(searchParams.get('length_s'))));
    if (pathname === '/api/audit') return json(route, fixtures.audit);
    return json(route, { error: { code: 'not_found', message: '', fault: 'you' } }, 404);
  });
  await tab.routeWebSocket('**/api/events', () => {});
  await tab.goto(url);
  await tab.locator('input[type=password]').waitFor();
  await shot('sign-in');
  await tab.getByRole('textbox').first().fill('mei');
  await tab.locator('input[type=password]').fill('right');
  await tab.keyboard.press('Enter');
  await tab.getByRole('table').waitFor();
  await shot('sites');
  await tab.goto(`${url}/figures`);
  await tab.locator('.chart canvas').waitFor();
  await shot('figures');
  for (const place of ['overview', 'queues', 'agents', 'hours', 'numbers', 'trunks', 'history']) {
    await tab.goto(`${url}/sites/north/${place}`);
    await tab.getByRole('tabpanel').waitFor();
    if (place === 'queues') {
      await tab.getByRole('button', { name: /Sales/ }).click();
      await tab.getByRole('textbox', { name: /Wrap-up|话后处理/ }).fill('40');
      await tab.getByRole('button', { name: /Save|保存/ }).click();
      await tab.getByRole('alert').last().waitFor();
    }
    await shot(`site-${place}`);
  }
  await tab.getByRole('button', { name: /Let a box join|接入设备/ }).click();
  await tab.getByRole('button', { name: /Make a code|生成代码/ }).click();
  await tab.getByRole('button', { name: /^(Copy|复制)$/ }).waitFor();
  await shot('enrol');
  await tab.goto(`${url}/audit`);
  await tab.getByRole('table').waitFor();
  await shot('audit');
  await tab.goto(`${url}/sites/nowhere`);
  await tab.getByText(/There is no such branch|没有这个网点/).waitFor();
  await shot('not-found');
  if (look.name !== 'en') return;
  none = true;
  await tab.goto(`${url}/sites`);
  await tab.getByText('No branch yet').waitFor();
  await shot('none');
  await tab.goto(`${url}/figures`);
  await tab.getByText('No figures in this period').waitFor();
  await shot('no-figures');
}
