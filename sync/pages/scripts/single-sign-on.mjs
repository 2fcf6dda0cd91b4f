// Goes into a running console through its identity provider (scripts/oidc.mjs), and looks at where that ends.
//
//   node scripts/single-sign-on.mjs --url http://cloud:8080 --name sue [--out DIR]
//
// Prints who is in as JSON, or what the door says to somebody who is not. Ends with 1 on the same faults as screens.mjs.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Watch, looks } from './browser.mjs';

const { values } = parseArgs({
  options: { url: { type: 'string' }, name: { type: 'string' }, out: { type: 'string', default: join(tmpdir(), 'branchline-screens') } },
});
const watch = await Watch.start(values.out);
try {
  const { tab, shot, close } = await watch.open('console', looks[0]);
  await tab.goto(values.url);
  await tab.getByRole('link', { name: /Sign in with/ }).click();
  await tab.locator('input[name=login]').fill(values.name);
  await tab.locator('input[name=password]').fill('whatever');
  await tab.getByRole('button', { name: 'Sign-in' }).click();
  await tab.getByRole('button', { name: 'Continue' }).click();
  await tab.waitForURL((at) => at.href.startsWith(values.url));
  const end = tab.locator('header button[aria-haspopup=menu]').or(tab.getByRole('alert'));
  await end.first().waitFor();
  await shot(`single-sign-on-${values.name}`);
  const refused = tab.getByRole('alert').filter({ visible: true });
  const inside = await tab.locator('#content').count();
  const said = inside > 0 ? await tab.evaluate(() => fetch('/api/me').then((me) => me.text())) : await refused.first().innerText();
  console.log(`end ${said}`);
  await close();
} catch (error) {
  watch.faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
} finally {
  // The provider's own page may want what it likes.
  const ours = (fault) => [...fault.matchAll(/\((https?:[^)]*)\)/g)].every(([, at]) => at.startsWith(values.url));
  watch.faults.splice(0, watch.faults.length, ...watch.faults.filter(ours));
  await watch.end();
}
