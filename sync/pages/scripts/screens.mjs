// Screenshots of both pages in Chromium with answers from fixtures.mjs, each checked for accessibility, with a watch
// on the browser's console.
//
//   npm run build && npm run screens                     everything, into screens/
//   npm run screens -- console --only zh                 one page, one look
//
// Ends with 1 when a page broke a rule of accessibility seriously, logged an error, or broke the security policy.
// Pages of a running daemon are gone through by walk.mjs.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Watch, looks } from './browser.mjs';
import * as fixtures from './fixtures.mjs';
import { serve } from './serve.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: resolve(import.meta.dirname, '../screens') },
    only: { type: 'string' },
  },
});
const watch = await Watch.start(values.out);
for (const page of positionals.length > 0 ? positionals : ['desk', 'console']) {
  const server = await serve(page);
  for (const look of looks.filter((look) => !values.only || values.only.split(',').includes(look.name))) {
    const { tab, shot, close } = await watch.open(page, look, { refusals: true });
    await (page === 'desk' ? desk : console_)(tab, server.url, shot, look);
    await close();
  }
  server.close();
}
await watch.end();

function json(route, body, status = 200) {
  return route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) });
}

/** RFC 3261 §10.3: what a registrar says to the page's telephone. */
function registered(request) {
  const line = (name) => request.match(new RegExp(`^${name}:.*$`, 'im'))?.[0] ?? '';
  const to = `${line('To')};tag=box`;
  return ['SIP/2.0 200 OK', line('Via'), line('From'), to, line('Call-ID'), line('CSeq'), `${line('Contact')};expires=120`, 'Content-Length: 0', '', ''].join('\r\n');
}

function invite(name, domain) {
  const sdp = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', 'm=audio 4000 UDP/TLS/RTP/SAVPF 8', ''].join('\r\n');
  return [
    `INVITE sip:${name}@${domain} SIP/2.0`, 'Via: SIP/2.0/WS 192.0.2.1;branch=z9hG4bKpicture', 'Max-Forwards: 70', `From: <sip:13800000001@${domain}>;tag=a`,
    `To: <sip:${name}@${domain}>`, 'Call-ID: picture', 'CSeq: 1 INVITE', 'Contact: <sip:192.0.2.1;transport=ws>', 'Content-Type: application/sdp', `Content-Length: ${sdp.length}`, '', sdp,
  ].join('\r\n');
}

async function desk(tab, url, shot, look) {
  let inside = false;
  let socket = null;
  let dark = false;
  const say = (message) => socket?.send(JSON.stringify(message));
  await tab.route('**/api/**', (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === '/api/session') {
      const right = route.request().postDataJSON()?.password === 'right';
      inside = right;
      return right ? json(route, fixtures.deskMe) : json(route, { error: { code: 'bad_credentials', message: '', fault: 'request' } }, 401);
    }
    if (pathname === '/api/help') return json(route, { help: 'no_line' });
    if (!inside) return json(route, { error: { code: 'signed_out', message: '', fault: 'request' } }, 401);
    if (pathname === '/api/me') return json(route, fixtures.deskMe);
    if (pathname === '/api/phone') return json(route, { extension: '201', name: '201-x', password: 'x', domain: 'north.example' });
    if (pathname === '/api/phones') return json(route, fixtures.phones);
    if (pathname === '/api/phones/202/enrol') return json(route, { url: 'https://10.1.0.5:8443/k3f9q2mxw7d4hz8tyr5ab/' });
    if (pathname.startsWith('/api/phones/')) return route.fulfill({ status: 204 });
    if (pathname === '/api/reports') return route.fulfill({ status: 200, contentType: 'application/x-ndjson', body: fixtures.reportLines(new URL(route.request().url()).searchParams) });
    if (pathname === '/api/drills') return json(route, fixtures.deskDrills);
    if (pathname === '/api/egress') return json(route, fixtures.egressSums);
    if (pathname === '/api/egress/lines') return json(route, fixtures.egressLines);
    if (pathname === '/api/forward') return json(route, { phone: '201', forward: fixtures.phones.phones[0].forward });
    if (pathname === '/api/messages') return json(route, fixtures.messages);
    if (pathname.endsWith('/card')) return dark ? json(route, { ...fixtures.contactCard, known: null }) : json(route, fixtures.contactCard);
    if (pathname.endsWith('/note')) return json(route, { version: 4 });
    if (pathname.endsWith('/disposition')) return route.fulfill({ status: 204 });
    if (pathname === '/api/chat') return json(route, fixtures.chatRooms);
    if (pathname.startsWith('/api/chat/')) return route.request().method() === 'POST' ? route.fulfill({ status: 204 }) : json(route, fixtures.chatMessages);
    if (pathname === '/api/ticket-terms') return route.request().method() === 'POST' ? route.fulfill({ status: 204 }) : json(route, fixtures.ticketTerms);
    if (pathname === '/api/tickets') return json(route, route.request().method() === 'POST' ? { ticket: fixtures.ticketShown.ticket } : fixtures.tickets);
    if (pathname.startsWith('/api/tickets/')) return route.request().method() === 'POST' ? json(route, { error: { code: 'ticket_changed', message: '', fault: 'request' } }, 409) : json(route, fixtures.ticketShown);
    if (pathname.endsWith('/tickets')) return json(route, { ...fixtures.tickets, tickets: fixtures.tickets.tickets.slice(0, 2) });
    if (pathname === '/api/contacts') return json(route, fixtures.contacts);
    if (pathname === '/api/config' || pathname === '/api/changes') return json(route, { config: fixtures.config, findings: fixtures.findings, alone: fixtures.alone });
    if (pathname === '/api/merge') return json(route, fixtures.merge);
    if (pathname.endsWith('.peaks')) return json(route, fixtures.waveform());
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
  const line = { socket: null };
  await tab.routeWebSocket('**/api/phone/sip', (ws) => {
    line.socket = ws;
    ws.onMessage((text) => String(text).startsWith('REGISTER ') && ws.send(registered(String(text))));
  });
  // Opened by a link in another program: the number waits in its field, and stands nowhere else.
  await tab.goto(`${url}?dial=tel:%2B49-30-1234`);
  await tab.locator('input[type=password]').waitFor();
  await shot('sign-in');
  await tab.getByRole('textbox').first().fill('li');
  await tab.locator('input[type=password]').fill('wrong');
  await tab.keyboard.press('Enter');
  await tab.getByRole('alert').nth(1).waitFor();
  await shot('sign-in-refused');
  await tab.locator('input[type=password]').fill('right');
  await tab.keyboard.press('Enter');
  await tab.locator('.state-card').waitFor();
  const field = tab.locator('#dial-number');
  const [number, address] = [await field.inputValue(), tab.url()];
  if (number !== '+49-30-1234' || address.includes('dial=')) throw new Error(`a link left ${number} in the field and ${address} in the address`);
  await field.fill('');
  await shot('ready');
  say({ board: fixtures.board('offered') });
  await tab.locator('.history').waitFor();
  await shot('offered');
  say({ board: { ...fixtures.board('offered', { callback: true }), callbacks: fixtures.callbacks } });
  await shot('callbacks');
  say({ board: fixtures.board('ready') });
  await tab.locator('#phone-switch').click({ force: true });
  await tab.locator('.phone-card[data-ready=true]').waitFor({ timeout: 8000 }).catch(async (error) => { console.error(await tab.locator('.phone-card').innerText(), await tab.locator('#phone-switch').isChecked()); throw error; });
  await shot('phone-ready');
  await tab.getByRole('button', { name: /^(Microphone and|麦克风与)/ }).click();
  await tab.getByRole('dialog').waitFor();
  await tab.getByRole('meter').waitFor();
  await shot('phone-devices');
  await tab.keyboard.press('Escape');
  say({ board: fixtures.board('offered') });
  line.socket.send(invite('201-x', 'north.example'));
  await tab.getByRole('button', { name: /^(Answer|接听)$/ }).waitFor();
  await shot('phone-ringing');
  await tab.getByRole('button', { name: /^(Decline|拒接)$/ }).click();
  await tab.getByRole('button', { name: /^(Answer|接听)$/ }).waitFor({ state: 'detached' });
  await tab.locator('#phone-switch').click({ force: true });
  say({ board: fixtures.board('talking', { away: true }) });
  await shot('phone-away');
  say({ board: { ...fixtures.board('ready'), emergencies: fixtures.emergencies, notices: fixtures.deskNotices } });
  await tab.locator('.emergency').waitFor();
  await shot('emergency');
  await tab.locator('.emergency button').click();
  say({ board: fixtures.board('ready') });
  await tab.locator('.emergency').waitFor({ state: 'detached' });
  say({ board: fixtures.board('talking', { held: true, from_site: 'harbour' }) });
  await shot('held');
  say({ board: fixtures.board('talking', { recording: { missing: 'no_consent', paused: false, may_pause: true, consent: 'when_given', said: null } }) });
  await tab.getByRole('button', { name: /Customer agrees|客户同意/ }).waitFor();
  await shot('consent');
  say({ board: fixtures.board('talking', { recording: { missing: null, paused: true, may_pause: true, consent: 'unless_refused', said: true } }) });
  await tab.getByRole('button', { name: /Record again|继续录音/ }).waitFor();
  await shot('recording-paused');
  say({ board: fixtures.board('talking') });
  await tab.locator('#transfer-open').click();
  await tab.getByRole('dialog').waitFor();
  await shot('transfer');
  await tab.keyboard.press('Escape');
  await tab.getByRole('heading', { level: 2 }).first().focus().catch(() => {});
  await tab.keyboard.press('d');
  await tab.getByRole('option').first().waitFor();
  await shot('card-disposition');
  await tab.keyboard.press('Escape');
  await tab.locator('#note').fill('Wants the blue one, and two more.');
  await tab.locator('.note-state[data-state=same]').waitFor();
  await shot('card');
  await tab.locator('.history li').last().scrollIntoViewIfNeeded();
  await shot('card-history');
  await tab.locator('.state-card').scrollIntoViewIfNeeded();
  dark = true;
  say({ board: fixtures.board('ready') });
  await tab.locator('#note').waitFor({ state: 'detached' });
  say({ board: fixtures.board('wrap_up', { disposition: 'sold' }) });
  await tab.getByText(/cannot read its memory|暂时无法读取/).waitFor();
  await shot('wrap-up');
  dark = false;
  say({ board: { queues: [], closed: false, pauses: {}, help: 'lines_down', callbacks: [], emergencies: [], notices: [], alerts: [], agents: fixtures.board('not_ready').agents.filter((a) => a.agent === 'li').map((a) => ({ ...a, phone_registered: false })) } });
  await shot('empty');
  say({ board: fixtures.board('ready') });
  await tab.locator('.pause-open').click();
  await tab.getByRole('menuitem').first().waitFor();
  await shot('pause');
  await tab.keyboard.press('Escape');
  await tab.getByRole('button', { name: /Close the branch|关闭网点/ }).click();
  await tab.getByRole('dialog').waitFor();
  await shot('close-branch');
  await tab.getByRole('dialog').getByRole('button', { name: /Close the branch|关闭网点/ }).click();
  await tab.getByRole('dialog').waitFor({ state: 'detached' });
  say({ board: { ...fixtures.board('not_ready', {}, { code: 'lunch' }), closed: true } });
  await tab.getByRole('button', { name: /Undo|撤销/ }).waitFor();
  await shot('branch-closed');
  await tab.getByRole('button', { name: /Undo|撤销/ }).click();
  say({ board: { ...fixtures.board('ready'), alerts: fixtures.alerts } });
  await tab.getByText(/R 58|R58/).first().waitFor();
  await shot('alerts');
  await tab.locator('header button[aria-haspopup=menu]').click();
  await tab.getByRole('menuitem', { name: /Wallboard|大屏看板/ }).click();
  await tab.locator('.wall').waitFor();
  await shot('wall');
  await tab.keyboard.press('Escape');
  await tab.locator('.wall').waitFor({ state: 'detached' });
  // The box falls silent: every figure says how old it is, until it is heard again.
  await tab.evaluate(() => {
    const steady = performance.now.bind(performance);
    performance.now = () => steady() + 42_000;
  });
  await tab.locator('.queue-figures .old').first().waitFor();
  await shot('old');
  say({ board: fixtures.board('ready') });
  await tab.locator('.old').first().waitFor({ state: 'detached' });
  say({ board: fixtures.board('not_ready') });
  await tab.keyboard.press('?');
  await tab.getByRole('dialog').waitFor();
  await shot('shortcuts');
  await tab.keyboard.press('Escape');
  await tab.getByRole('tab').nth(1).click();
  await tab.getByRole('table').waitFor();
  await tab.getByRole('button', { name: /Play|播放/ }).first().click();
  await tab.getByRole('slider', { name: /Position|播放位置/ }).press('ArrowRight');
  await shot('contacts');
  await tab.locator('.correct').first().click();
  await tab.getByRole('dialog').getByRole('textbox').last().fill('Ordered three, after all.');
  await shot('contacts-correct');
  await tab.keyboard.press('Escape');
  await tab.getByRole('dialog').waitFor({ state: 'detached' });
  const narrow = look.name.startsWith('narrow');
  say({ chat: { n: 45, room: 'queue.sales', by: 'wang', at: Date.now(), text: 'Who takes <b>lunch</b> first?' } });
  await tab.getByText('Who takes <b>lunch</b> first?').waitFor();
  await tab.locator('.chat-open').click();
  await tab.locator('.chat-room').first().waitFor();
  await shot('chat-rooms');
  await tab.locator('.chat-room').first().click();
  await tab.locator('.chat-message').first().waitFor();
  await tab.getByRole('textbox', { name: /^(Message|消息)/ }).fill('Thanks');
  await shot('chat');
  await tab.keyboard.press('Enter');
  await tab.keyboard.press('Escape');
  await tab.getByRole('dialog').waitFor({ state: 'detached' });
  await tab.getByRole('tab', { name: /^(Tickets|工单)$/ }).click();
  await tab.locator('.ticket-open').first().waitFor();
  say({ ticket: { ticket: fixtures.ticketShown.ticket, number: 12, alarm: { is: 'breached', promise: 'resolution' } } });
  await tab.getByText(/#12: (Resolution|解决)/).waitFor();
  await shot('tickets');
  await tab.getByRole('button', { name: /^(Promises|服务承诺)$/ }).click();
  await tab.getByRole('dialog').getByRole('textbox').first().waitFor();
  await shot('tickets-terms');
  await tab.keyboard.press('Escape');
  await tab.getByRole('dialog').waitFor({ state: 'detached' });
  await tab.getByRole('button', { name: /^(New ticket|新建工单)$/ }).click();
  await tab.getByRole('dialog').getByRole('textbox').first().fill('A receipt is missing');
  await shot('tickets-new');
  await tab.keyboard.press('Escape');
  await tab.getByRole('dialog').waitFor({ state: 'detached' });
  await tab.locator('.ticket-open').first().press('Enter');
  await tab.locator('.ticket-entries li').first().waitFor();
  await tab.getByRole('textbox', { name: /^(Comment|备注)/ }).fill('The driver has it.');
  await shot('ticket');
  await tab.keyboard.press('Control+Enter');
  await tab.getByText(/Somebody has changed this ticket|有人刚刚修改了此工单/).waitFor();
  if (!/driver/.test(await tab.getByRole('textbox', { name: /^(Comment|备注)/ }).inputValue())) throw new Error('what was typed was lost in a conflict');
  await shot('ticket-changed');
  if (narrow) {
    await tab.locator('header button[aria-haspopup=menu]').click();
    await tab.getByRole('menuitem', { name: /Reports|报表/ }).click();
  } else await tab.getByRole('tab', { name: /Reports|报表/ }).click();
  await tab.locator('.report-table').waitFor();
  await tab.getByRole('slider').press('ArrowLeft');
  await shot('reports');
  await tab.getByLabel(/^(Split by|拆分)$/).selectOption('agent');
  await tab.getByLabel(/^(In steps of|时间粒度)$/).selectOption('total');
  await tab.getByLabel(/^(Figures|指标)$/).selectOption('time');
  await tab.getByRole('button', { name: /Chen/ }).waitFor();
  await shot('reports-agents');
  await tab.getByLabel(/^(Split by|拆分)$/).selectOption('queue');
  await tab.getByLabel(/^(In steps of|时间粒度)$/).selectOption('hour');
  await tab.getByLabel(/^(Figures|指标)$/).selectOption('contacts');
  await tab.getByRole('button', { name: /Claims/ }).first().waitFor();
  await shot('reports-queues');
  if (!tab.url().includes('#reports?') || !tab.url().includes('by=queue')) throw new Error(`a report left ${tab.url()} in the address`);
  if (narrow) {
    await tab.locator('header button[aria-haspopup=menu]').click();
    await tab.getByRole('menuitem', { name: /^(Phones|话机)$/ }).click();
  } else await tab.getByRole('tab', { name: /^(Phones|话机)$/ }).click();
  await tab.getByText('Yealink SIP-T46U').first().waitFor();
  await shot('phones');
  await tab.getByRole('button', { name: /202/ }).press('Enter');
  await tab.getByRole('menuitem', { name: /another device|另一设备/ }).press('Enter');
  await tab.getByRole('textbox', { name: /MAC/ }).fill('00:04:13:ab:cd:ef');
  await shot('phones-enrol');
  await tab.keyboard.press('Enter');
  await tab.getByText('https://10.1.0.5:8443/').waitFor();
  await shot('phones-url');
  await tab.keyboard.press('Escape');
  await tab.getByRole('dialog').waitFor({ state: 'detached' });
  await tab.getByRole('button', { name: /201/ }).press('Enter');
  await tab.getByRole('menuitem', { name: /forwarding|呼叫转移/ }).press('Enter');
  await tab.getByRole('dialog').waitFor();
  await shot('phones-forward');
  await tab.keyboard.press('Escape');
  await tab.getByRole('dialog').waitFor({ state: 'detached' });
  // Where the window is narrow it is in the menu.
  if (narrow) {
    await tab.locator('header button[aria-haspopup=menu]').click();
    await tab.getByRole('menuitem', { name: /What left|外发记录/ }).click();
  } else await tab.getByRole('tab', { name: /What left|外发记录/ }).click();
  await tab.getByRole('button', { name: /128410/ }).click();
  await shot('egress');
  if (narrow) {
    await tab.locator('header button[aria-haspopup=menu]').click();
    await tab.getByRole('menuitem', { name: /^(Branch settings|网点设置)$/ }).click();
  } else await tab.locator('header').getByRole('tab').last().click();
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
  await tab.getByRole('tab', { name: /^(Merge report|合并报告)$/ }).click();
  await tab.getByRole('button', { name: /Take this|采用此值/ }).first().waitFor();
  await shot('settings-merge');
  await tab.getByRole('tab', { name: /^(Pauses|小休原因)$/ }).click();
  await shot('settings-pauses');
  await tab.getByRole('tab', { name: /^(Dispositions|处理结果)$/ }).click();
  await shot('settings-dispositions');
  await tab.getByRole('tab', { name: /^(Outage drills|断网演练)$/ }).click();
  await tab.getByRole('table').first().waitFor();
  await shot('settings-drills');
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
  let noticed = false;
  await tab.route('**/api/**', (route) => {
    const { pathname, searchParams } = new URL(route.request().url());
    if (pathname === '/api/session') {
      inside = true;
      return route.fulfill({ status: 204 });
    }
    if (pathname === '/api/single-sign-on') return json(route, { label: 'Example ID' });
    if (!inside) return json(route, { error: { code: 'not_signed_in', message: '', fault: 'you' } }, 401);
    if (pathname === '/api/me') return json(route, fixtures.consoleMe);
    if (pathname === '/api/tokens') return json(route, route.request().method() === 'POST' ? { name: 'git-2', token: 'bl_' + 'k3F9q2mXw7d4hZ8tYr5abQ'.repeat(2).slice(0, 43) } : fixtures.tokens);
    if (pathname === '/api/people') return json(route, fixtures.people);
    if (pathname === '/api/sites') return json(route, none ? [] : fixtures.sites);
    if (pathname === '/api/sites/north/config') return json(route, { config: fixtures.config, findings: fixtures.findings, heads: '', pending: true });
    if (pathname === '/api/sites/north/changes') return json(route, { error: { code: 'invalid', message: 'ring_s is 400, outside 5 to 300', fault: 'you' }, index: 0 }, 422);
    if (pathname.startsWith('/api/flows/')) return json(route, { flow: route.request().postDataJSON().steps ? route.request().postDataJSON() : fixtures.config.flows.main, text: fixtures.flowText, found: fixtures.flowFound, ends: fixtures.flowEnds });
    if (pathname.endsWith('/versions')) return json(route, fixtures.flowVersions);
    if (pathname === '/api/sites/north/history') return json(route, fixtures.history);
    if (pathname === '/api/sites/north/merge') return json(route, fixtures.merge);
    if (pathname === '/api/sites/north/blame') return json(route, fixtures.blame);
    if (pathname === '/api/sites/north/diff') return json(route, fixtures.diff);
    if (pathname === '/api/sites/north/enrolment') return json(route, { code: fixtures.code, expires: Date.now() + 3_600_000 });
    if (pathname === '/api/drills') return json(route, none ? { ordered: [], reports: [] } : fixtures.drills);
    if (pathname === '/api/rollouts') return json(route, none ? [] : fixtures.rollouts);
    if (pathname === '/api/rollouts/look') return json(route, fixtures.looked);
    if (pathname === '/api/templates') return json(route, none ? [] : fixtures.templates);
    if (pathname === '/api/notices') return json(route, noticed ? fixtures.notices : []);
    if (pathname === '/api/figures') return json(route, none ? { figures: [], completeness: {} } : fixtures.figures(Number(searchParams.get('from')), Number(searchParams.get('to')), Number(searchParams.get('length_s'))));
    if (pathname === '/api/trends') return json(route, fixtures.trends(Number(searchParams.get('from')), Number(searchParams.get('to')), Number(searchParams.get('length_s')), (searchParams.get('queues') ?? '').split(',').filter(Boolean), searchParams.get('apart') === 'sites'));
    if (pathname === '/api/corrections') return json(route, fixtures.corrections);
    if (pathname === '/api/boxes') return json(route, none ? [] : fixtures.boxes);
    if (pathname === '/api/bundles') return json(route, none ? [] : fixtures.bundles);
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
  const view = tab.getByRole('radiogroup', { name: /View|视图/ });
  await view.waitFor();
  await shot('sites');
  await view.getByText(look.size.width < 600 ? /Table|表格/ : /Tiles|卡片/).click();
  await shot('sites-other');
  await tab.goto(`${url}/figures`);
  await tab.getByRole('table').first().waitFor();
  await shot('figures');
  await tab.goto(`${url}/trends`);
  await tab.locator('.trend-tick').first().waitFor();
  await tab.getByRole('table').first().waitFor();
  await shot('trends');
  await tab.getByRole('region', { name: /^(What changed|变化内容)$/ }).scrollIntoViewIfNeeded();
  await shot('trends-changed');
  await tab.goto(`${url}/trends?queues=sales,tickets,claims&show=level&table=1`);
  await tab.locator('.trend-line').first().waitFor();
  await tab.getByRole('table').nth(1).waitFor();
  await tab.getByRole('slider').focus();
  await tab.keyboard.press('ArrowLeft');
  await tab.keyboard.press('PageUp');
  await shot('trends-queues');
  await tab.goto(`${url}/trends?apart=sites`);
  await tab.locator('.trend-line').first().waitFor({ state: 'attached' });
  await shot('trends-branches');
  await tab.goto(`${url}/people`);
  await tab.getByRole('table').nth(1).waitFor();
  await shot('people');
  await tab.getByRole('button', { name: /New token|新建令牌/ }).click();
  await tab.getByRole('textbox', { name: /^(Name|名称)$/ }).fill('git-2');
  await shot('token');
  await tab.keyboard.press('Enter');
  await tab.getByText(/^bl_/).waitFor();
  await shot('token-made');
  await tab.keyboard.press('Escape');
  await tab.getByRole('dialog').waitFor({ state: 'detached' });
  await tab.getByRole('button', { name: /Add a person|添加人员/ }).click();
  await tab.getByRole('radiogroup').waitFor();
  await shot('people-add');
  for (const place of ['overview', 'queues', 'agents', 'hours', 'dispositions', 'flows', 'numbers', 'trunks', 'dialling', 'places', 'merge', 'history']) {
    await tab.goto(`${url}/sites/north/${place}`);
    await tab.getByRole('tabpanel').waitFor();
    if (place === 'queues') {
      await tab.getByRole('button', { name: /Sales/ }).click();
      await tab.getByRole('textbox', { name: /Wrap-up|话后处理/ }).fill('40');
      await tab.getByRole('button', { name: /Save|保存/ }).click();
      await tab.getByRole('alert').last().waitFor();
    }
    if (place === 'flows') {
      await tab.locator('.flow-step').first().waitFor();
      await tab.locator('.react-flow__node', { hasText: 'which' }).first().click();
      await tab.getByRole('group', { name: /which/ }).last().waitFor();
      await shot('site-flows-drawing');
      await tab.locator('.react-flow__node', { hasText: 'closed' }).first().click();
      await tab.getByRole('group', { name: /closed/ }).last().waitFor();
      await shot('site-flows-words');
      await tab.getByRole('textbox', { name: /Shown to agents as|向坐席显示为/ }).first().scrollIntoViewIfNeeded();
      await shot('site-flows-variables');
      await tab.getByRole('radiogroup', { name: /Editor|编辑方式/ }).getByText(/Text|文本/).click();
      await tab.getByRole('textbox', { name: /Text|文本/ }).waitFor();
    }
    if (place === 'merge') await tab.getByRole('button', { name: /Take this|采用此值/ }).first().waitFor();
    if (place === 'history') {
      await tab.getByRole('button', { name: /^(Undo|撤销)/ }).nth(1).click();
      await tab.getByRole('dialog').waitFor();
      await shot('site-undo');
      await tab.keyboard.press('Escape');
      await tab.goto(`${url}/sites/north/history?from=${Date.now() - 86_400_000}`);
      await tab.getByRole('region', { name: /^(What changed|变化内容)$/ }).waitFor();
    }
    await shot(`site-${place}`);
  }
  await tab.goto(`${url}/sites/north/queues`);
  await tab.getByRole('button', { name: /Sales/ }).click();
  await tab.getByRole('switch', { name: /Who set what|显示设置人/ }).click({ force: true });
  await tab.locator('[data-path]').first().waitFor();
  await shot('site-who-set');
  await tab.goto(`${url}/sites/north/queues?at=${Date.now() - 86_400_000}`);
  await tab.getByRole('tabpanel').waitFor();
  await shot('site-then');
  noticed = true;
  await tab.goto(`${url}/sites/north/overview`);
  await tab.getByRole('alert').first().waitFor();
  await shot('notices');
  noticed = false;
  await tab.goto(`${url}/sites/north/history`);
  await tab.getByRole('tabpanel').waitFor();
  await tab.getByRole('button', { name: /Let a box join|接入设备/ }).click();
  await tab.getByRole('button', { name: /Make a code|生成代码/ }).click();
  await tab.getByRole('button', { name: /^(Copy|复制)$/ }).waitFor();
  await shot('enrol');
  await tab.goto(`${url}/rollouts`);
  await tab.getByRole('table').first().waitFor();
  await shot('rollouts');
  await tab.getByRole('button', { name: /^(Take back|收回)/ }).nth(1).click();
  await tab.getByRole('dialog').waitFor();
  await shot('rollouts-take-back');
  await tab.keyboard.press('Escape');
  await tab.goto(`${url}/rollouts/new?template=breath`);
  await tab.getByRole('button', { name: /^(coast)$/ }).click();
  await tab.getByRole('button', { name: /^(Try|试运行)$/ }).click();
  await tab.getByRole('table').first().waitFor();
  await shot('rollouts-new');
  await tab.getByRole('button', { name: /From a branch|取自网点/ }).click();
  await tab.getByRole('dialog').getByRole('combobox').click();
  await tab.getByRole('option').first().click();
  await tab.getByRole('checkbox').first().check();
  await shot('rollouts-from-branch');
  await tab.keyboard.press('Escape');
  await tab.goto(`${url}/drills`);
  await tab.getByRole('table').first().waitFor();
  await shot('drills');
  await tab.getByRole('button', { name: /^(Order a drill|安排演练)$/ }).click();
  await tab.getByRole('dialog').waitFor();
  await shot('drills-order');
  await tab.keyboard.press('Escape');
  await tab.goto(`${url}/boxes`);
  await tab.getByRole('table').first().waitFor();
  await shot('boxes');
  await tab.getByRole('button', { name: /^(Revoke|吊销)/ }).first().click();
  await tab.getByRole('dialog').waitFor();
  await shot('revoke');
  await tab.keyboard.press('Escape');
  await tab.getByRole('button', { name: /^(Offer|提供)/ }).first().click();
  await tab.getByRole('dialog').getByRole('combobox').click();
  await tab.getByRole('option').first().click();
  await shot('offer');
  await tab.keyboard.press('Escape');
  await tab.keyboard.press('Escape');
  await tab.locator('header button[aria-haspopup=menu]').click();
  await shot('menu');
  await tab.getByRole('menuitem', { name: /Change password|更改密码/ }).click();
  await tab.getByRole('dialog').waitFor();
  await shot('password');
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
  await tab.goto(`${url}/boxes`);
  await tab.getByText('No box has joined yet').waitFor();
  await shot('no-boxes');
  await tab.route('**/api/sites', (route) => route.abort());
  await tab.goto(`${url}/sites`);
  await tab.getByRole('button', { name: 'Try again' }).waitFor();
  await shot('unreachable');
}
