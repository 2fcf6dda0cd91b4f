// Goes through the page of a running box or cloud as a person would, and looks at every place.
//
//   node scripts/walk.mjs desk --url http://box:8090 --name li --password … [--out DIR] [--looks en,narrow-dark]
//   node scripts/walk.mjs console --url http://cloud:8080 --name mei --password … [--edit SITE/QUEUE] [--order]
//
// `--order` makes a code for a box, offers a bundle and revokes a box: not for a cloud that is in use.
// Ends with 1 on the same faults as screens.mjs, and when an edit was not there after a reload.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Watch, looks } from './browser.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    name: { type: 'string' },
    password: { type: 'string' },
    out: { type: 'string', default: join(tmpdir(), 'branchline-screens') },
    looks: { type: 'string', default: 'en,narrow-dark' },
    edit: { type: 'string' },
    order: { type: 'boolean', default: false },
  },
});
const [page] = positionals;
const { url } = values;
if (!url || !['desk', 'console'].includes(page)) throw new Error('walk.mjs desk|console --url URL --name NAME --password PASSWORD');

const watch = await Watch.start(values.out);
try {
  for (const look of looks.filter((look) => values.looks.split(',').includes(look.name))) {
    const { tab, shot, fault, close } = await watch.open(page, look);
    await signIn(tab, shot);
    await (page === 'desk' ? desk(tab, shot) : console_(tab, shot, fault, look));
    await signOut(tab);
    await close();
  }
} catch (error) {
  watch.faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
} finally {
  await watch.end();
}

async function signIn(tab, shot) {
  await tab.goto(url);
  await tab.locator('input[type=password]').waitFor();
  await shot('sign-in');
  await tab.getByRole('textbox').first().fill(values.name ?? '');
  await tab.locator('input[type=password]').fill(values.password ?? '');
  await tab.keyboard.press('Enter');
}

async function signOut(tab) {
  await tab.goto(url);
  await tab.locator('header button[aria-haspopup=menu]').click();
  await tab.getByRole('menuitem', { name: /Sign out|退出/ }).click();
  await tab.locator('input[type=password]').waitFor();
}

async function desk(tab, shot) {
  await tab.getByRole('tablist').first().waitFor();
  await tab.waitForTimeout(1000);
  await shot('first');
  for (const [index, place] of (await tab.getByRole('tab').all()).entries()) {
    // Where the window is narrow, some places are in the menu.
    if (!(await place.isVisible())) continue;
    await place.click({ force: true });
    await tab.waitForTimeout(600);
    await shot(`place-${index}`);
  }
}

async function console_(tab, shot, fault, look) {
  await tab.locator('#content h1').waitFor();
  await settled(tab);
  await shot('first');
  const places = await tab.locator('nav a').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  for (const place of places) await visit(tab, shot, place);
  await tab.goto(`${url}/sites`);
  await settled(tab);
  const site = await tab.locator('#content a[href^="/sites/"]').first().getAttribute('href').catch(() => null);
  if (site === null) return fault('no branch is listed');
  await visit(tab, shot, site);
  const tabs = await tab.getByRole('tab').count();
  for (let n = 0; n < tabs; n++) {
    await tab.getByRole('tab').nth(n).click();
    await settled(tab);
    await shot(`site-tab-${n}`);
  }
  if (values.edit) await edit(tab, shot, fault, look);
  if (values.order && look.name === values.looks.split(',')[0]) await order(tab, shot, site);
}

/** Renames a queue, saves, loads again: the new name must have come from the server. */
async function edit(tab, shot, fault, look) {
  const [site, queue] = values.edit.split('/');
  const name = `Renamed ${look.name}`;
  await tab.goto(`${url}/sites/${site}/queues`);
  await tab.locator('nav').getByRole('button', { name: new RegExp(`^${queue}|^Renamed`, 'i') }).first().click();
  await tab.getByRole('textbox', { name: /Name shown to people|显示名称/ }).fill(name);
  await shot('edited');
  await tab.getByRole('button', { name: /Save changes|保存更改/ }).click();
  await tab.getByRole('region', { name: /Unsaved|未保存/ }).waitFor({ state: 'detached' });
  await tab.reload();
  await settled(tab);
  const found = await tab.getByRole('textbox', { name: /Name shown to people|显示名称/ }).inputValue();
  if (found !== name) fault(`the queue is called ${found} after a reload, not ${name}`);
  await shot('saved');
  await visit(tab, shot, `/sites/${site}/history`);
  if (!(await tab.getByText(name).first().isVisible())) fault(`the history does not tell of ${name}`);
}

/** Each order is given through its dialog, and seen to be done. */
async function order(tab, shot, site) {
  await tab.goto(url + site);
  await tab.getByRole('button', { name: /Let a box join|接入设备/ }).first().click();
  await tab.getByRole('button', { name: /Make a code|生成代码/ }).click();
  await tab.getByRole('dialog').locator('.mantine-Code-root').first().waitFor();
  await shot('code');
  await visit(tab, shot, '/boxes');
  await tab.getByRole('button', { name: /^(Offer|提供)/ }).last().click();
  await tab.getByRole('dialog').getByRole('combobox').click();
  await tab.getByRole('option').first().click();
  await tab.keyboard.press('Escape');
  await tab.getByRole('dialog').getByRole('button', { name: /^(Offer|提供)$/ }).click();
  await tab.getByRole('dialog').waitFor({ state: 'detached' });
  const revoke = tab.getByRole('button', { name: /^(Revoke|吊销)/ });
  const before = await revoke.count();
  if (before > 0) {
    await revoke.first().click();
    await tab.getByRole('dialog').getByRole('button', { name: /^(Revoke|吊销)$/ }).click();
    await tab.getByRole('dialog').waitFor({ state: 'detached' });
    await tab.getByText(/^(Revoked|已吊销)$/).first().waitFor();
  }
  await shot('ordered');
}

async function visit(tab, shot, place) {
  await tab.goto(url + place);
  await settled(tab);
  await shot(place.slice(1).replaceAll('/', '-'));
}

/** No skeleton waits for an answer any more. */
async function settled(tab) {
  await tab.locator('#content').waitFor();
  await tab.waitForLoadState('networkidle').catch(() => {});
  await tab.waitForFunction(() => document.querySelector('#content [role=status] .mantine-Skeleton-root, #content .mantine-Skeleton-root') === null);
}
