// Answers for the screenshots, where no daemon runs behind the pages. Used by scripts/screens.mjs alone.

const NOW = Date.now();
const min = 60_000;

const chooses = (part = {}) => ({ strategy: 'longest_idle', ageing_s: 300, last_agent_s: 0, tiers: [], reserve: { agents: 0, value: 1 }, ...part });
const calls = (part = {}) => ({ offer_after_s: 180, attempts: 3, again_min: 15, hours: null, ...part });
const arrives = { written: 'as_is', strip: 0, before: '' };
const carrier = (over) => ({
  numbers: { called: arrives, caller: arrives },
  identity: { trusted: false, show: 'own', main: null, allowed: [], style: 'from', may_withhold: true, forwarded: 'nothing', early: 'always', ...over },
  limits: { in_max: null, out_max: 20 },
  health: { every_s: null, down_after: 2, up_after: 1 },
  codecs: ['PCMA'],
  hours: null,
});
const dialling = {
  prefix: '', country: '86', national: '0', international: '00', abroad: [], premium: ['168'], backup: [],
  groups: { out: { label: 'City lines', members: [{ trunk: 'carrier', order: 0, weight: 30 }, { trunk: 'gateway', order: 1, weight: 0 }], hours: 'office' }, idle: { label: 'Night lines', members: [], hours: null } },
  outward: 'out', phone_hour_max: 60, site_hour_max: 600, phone_calls_max: 3, home_cents: 3, abroad_cents: 50, tariffs: { 43: 12, 4476: 90 }, phone_hour_cents_max: 2000, site_hour_cents_max: 20000, place: 'house', test_number: '99112', test_hour: 3, confirm_days: 180,
};

const phone = (label, place) => ({ label, number: null, place, protection: 'preferred', forward: { always: null, busy: null, no_answer: null, after_s: 20, unregistered: null } });

export const config = {
  site: { id: 'north', label: 'North Street', time_zone: 'Asia/Shanghai', emergency: ['110', '119', '120'], outward: 'carrier', dialling, closed: false, pauses: { lunch: 'Lunch', training: 'Training', 'team-talk': 'Talk with the team' }, dispositions: { 'call-again': 'Call again', complaint: 'Complaint', information: 'Only information', sold: 'Sold', 'wrong-number': 'Wrong number' }, recording: { inward: null, outward: { consent: 'when_given', pause_s: 0 }, inside: null } },
  queues: {
    claims: { label: 'Claims', skills: { claims: 4 }, music: 'music', position_every_s: 45, ring_s: 20, wrap_up_s: 60, service_level_s: 30, hours: 'office', recorded: true, recording: { consent: 'not_asked', pause_s: 0 }, closed: false, overflow: { locality: 'local_only', after_s: 60, to: [] }, callback: calls(), dispositions: { only: [], required: false }, alerts: { longest_wait_s: null, waiting: null, service_level: null, abandoned: null, unserved: false, quality: true }, routing: chooses() },
    repairs: { label: 'Repairs & spare parts', skills: {}, music: 'music', position_every_s: 30, ring_s: 15, wrap_up_s: 20, service_level_s: 20, hours: null, recorded: false, recording: { consent: 'not_asked', pause_s: 0 }, closed: false, overflow: { locality: 'local_only', after_s: 60, to: [] }, callback: calls(), dispositions: { only: [], required: false }, alerts: { longest_wait_s: null, waiting: null, service_level: null, abandoned: null, unserved: false, quality: true }, routing: chooses() },
    sales: { label: 'Sales', skills: { english: 3, sales: 5 }, music: 'music', position_every_s: 30, ring_s: 15, wrap_up_s: 20, service_level_s: 20, hours: 'office', recorded: true, recording: { consent: 'unless_refused', pause_s: 120 }, closed: false, overflow: { locality: 'may_leave', after_s: 45, to: ['harbour'] }, callback: calls(), dispositions: { only: ['call-again', 'complaint', 'sold'], required: true }, alerts: { longest_wait_s: 60, waiting: 5, service_level: 80, abandoned: null, unserved: true, quality: true }, routing: chooses({ strategy: 'most_skilled', reserve: { agents: 1, value: 2 }, tiers: [{ after_s: 30, longer_than: null, levels_less: 2, also: [] }, { after_s: null, longer_than: 8, levels_less: 2, also: ['repairs'] }] }) },
  },
  agents: {
    chen: { badge: 'Chen', phone: '203', skills: { claims: 6 }, queues: ['claims'] },
    li: { badge: 'Li', phone: '201', skills: { sales: 7, english: 4 }, queues: ['sales', 'repairs'] },
    okafor: { badge: 'Okafor', phone: '204', skills: { sales: 5, english: 9 }, queues: ['sales'] },
    sato: { badge: 'Sato', phone: null, skills: {}, queues: ['repairs'] },
    wang: { badge: 'Wang', phone: '202', skills: { sales: 5 }, queues: ['sales', 'claims'] },
  },
  phones: { 201: phone('Desk 1', null), 202: phone('Desk 2', null), 203: phone('Desk 3', 'annex'), 204: phone('Desk 4', 'annex') },
  places: {
    annex: { label: 'Annex', country: 'CN', state: 'Guangdong', city: 'Shenzhen', street: 'North Street', house: '12', floor: '3', room: '312', trunk: 'gateway', confirmed: '2026-09-14', send_location: true },
    house: { label: 'Main house', country: 'CN', state: 'Guangdong', city: 'Shenzhen', street: 'North Street', house: '8', floor: '', room: '', trunk: null, confirmed: '', send_location: true },
  },
  trunks: {
    carrier: { label: 'City Carrier', kind: { by: 'address', peer: '203.0.113.5:5060', transport: 'udp' }, calls_max: 30, behind_nat: false, spelling: 'plus', carrier: carrier({ trusted: true, main: '+8675512345678', allowed: ['+8675512345678', '+8675599999999'], style: 'asserted', forwarded: 'diversion', early: 'authorised' }) },
    gateway: { label: 'Old exchange', kind: { by: 'registration', peer: '10.0.0.9:5060', transport: 'tcp', user: 'north', domain: 'pbx.example', expires_s: 300 }, calls_max: 8, behind_nat: false, spelling: 'national', carrier: carrier({}) },
  },
  numbers: { '+8675512345678': 'main', '+8675512345679': 'night' },
  flows: {
    main: {
      label: 'Main menu', start: 'hello', variables: { gold: false }, shown: { gold: 'Gold customer' },
      steps: {
        hello: { do: 'play', prompt: 'greeting', next: 'door' },
        door: { do: 'open', hours: 'office', then: 'who', otherwise: 'closed' },
        who: { do: 'look_up', url: 'http://crm.example/who', send: { phone: 'caller' }, take: { gold: 'is_gold' }, wait_ms: 1500, next: 'which', otherwise: 'which' },
        which: { do: 'menu', prompt: 'menu', choices: { 1: 'sales', 2: 'repairs' }, wait_s: 5, tries: 2, otherwise: 'sales' },
        sales: { do: 'queue', queue: 'sales', asks: { value: 0, skills: {} }, after: 'how' },
        repairs: { do: 'queue', queue: 'repairs', asks: { value: 0, skills: {} } },
        how: { do: 'survey', prompt: 'survey', best: 5, wait_s: 8, next: 'bye' },
        closed: { do: 'say', parts: [{ prompt: 'closed' }, { speech: { language: 'en', text: 'We are here again on Monday at nine.' } }], next: 'bye' },
        bye: { do: 'hangup' },
      },
    },
    night: { label: 'At night', start: 'bye', steps: { bye: { do: 'hangup' } } },
  },
  hours: {
    office: { label: 'Office hours', week: [0, 1, 2, 3, 4].flatMap((day) => [{ day, from_min: 540, to_min: 720 }, { day, from_min: 780, to_min: 1080 }]).concat([{ day: 5, from_min: 600, to_min: 900 }]), closed: ['2026-12-25', '2027-01-01'] },
  },
};

export const flowText = `label: Main menu
start: hello
variables:
  gold: false
steps:
  hello:
    do: play
    prompt: greeting
    next: door
`;
export const flowFound = [{ at: 'who', grave: true, problem: { is: 'flow', fault: 'out_of_bounds', field: 'wait_ms', min: 100, max: 10000, road: ['hello', 'door', 'who'] } }];
export const flowEnds = [['hello', 'door', 'closed', 'bye'], ['hello', 'door', 'who', 'which', 'sales']].map((road) => ({ at: road.at(-1), road }));
export const flowVersions = [{ replaced: NOW - 90 * min, flow: { label: 'Main menu', start: 'bye', steps: { bye: { do: 'hangup' } } } }];

export const findings = [
  { severity: 'warning', path: 'queues/sales/ring_s', problem: { is: 'concurrent', kept: '15', dropped: ['25'] } },
  { severity: 'repaired', path: 'agents/sato/phone', problem: { is: 'phone_shared', kept_by: 'chen' } },
  { severity: 'warning', path: 'queues/repairs', problem: { is: 'nobody_serves' } },
  { severity: 'warning', path: 'trunks/carrier/carrier/identity', problem: { is: 'not_ours', number: '+8675599999999' } },
  { severity: 'warning', path: 'trunks/carrier/carrier/identity/may_withhold', problem: { is: 'must_be_seen' } },
  { severity: 'warning', path: 'site/dialling/groups/idle', problem: { is: 'empty_group' } },
];

const card = (over) => ({ contact: 'c'.repeat(32), queue: 'sales', caller_number: '+8613800000001', caller_name: 'Zhang <b>Wei</b>', waited_ms: 23_000, held: false, away: false, card_mode: false, recording: null, callback: false, third: null, wrap_up_left_ms: null, from_site: null, disposition: null, disposition_required: true, ...over });

export function board(state, over = {}, pause = null) {
  const contact = { talking: card({}), offered: card({ waited_ms: 12_000 }), wrap_up: card({ wrap_up_left_ms: 14_000 }) }[state] ?? null;
  return {
    help: 'ready',
    closed: false,
    pauses: config.site.pauses,
    queues: [
      { queue: 'claims', label: 'Claims', intake: 'out_of_hours', closed: false, waiting: 0, messages: 1, callbacks: 0, longest_wait_ms: 0, expected_wait_ms: null, expected_wait_error_ms: null, ready: 1, talking: 1, offered_today: 14, answered_today: 11, abandoned_today: 2, service_level_permille: 642 },
      { queue: 'repairs', label: 'Repairs & spare parts', intake: 'closed', closed: true, waiting: 0, messages: 1, callbacks: 0, longest_wait_ms: 0, expected_wait_ms: null, expected_wait_error_ms: null, ready: 0, talking: 0, offered_today: 0, answered_today: 0, abandoned_today: 0, service_level_permille: null },
      { queue: 'sales', label: 'Sales', intake: 'open', closed: false, waiting: 3, messages: 1, callbacks: 2, longest_wait_ms: 74_000, expected_wait_ms: 130_000, expected_wait_error_ms: 38_000, ready: 1, talking: 2, offered_today: 41, answered_today: 36, abandoned_today: 3, service_level_permille: 871 },
    ],
    agents: [
      { agent: 'chen', badge: 'Chen', state: 'ready', pause: null, since_ms: 95_000, phone: '203', phone_registered: true, contact: null, monitors: [] },
      { agent: 'li', badge: 'Li', state, pause, since_ms: 134_000, phone: '201', phone_registered: true, contact: contact && { ...contact, ...over }, monitors: [] },
      { agent: 'okafor', badge: 'Okafor', state: 'wrap_up', pause: null, since_ms: 9_000, phone: '204', phone_registered: true, contact: null, monitors: [] },
      { agent: 'sato', badge: 'Sato', state: 'not_ready', pause: { code: 'training' }, since_ms: 1_830_000, phone: '205', phone_registered: false, contact: null, monitors: [] },
      { agent: 'wang', badge: 'Wang', state: 'talking', pause: null, since_ms: 305_000, phone: '202', phone_registered: true, contact: null, monitors: [{ by: 'li', how: 'whisper', there: true }] },
      { agent: 'zhou', badge: 'Zhou', state: 'signed_out', pause: null, since_ms: 0, phone: '206', phone_registered: false, contact: null, monitors: [] },
    ],
    callbacks: [],
    emergencies: [],
    notices: [],
    alerts: [],
  };
}

export const callbacks = [
  { contact: '1'.repeat(32), queue: 'sales', number: '013800000007', name: 'Zhang Wei', ago_ms: 1_260_000, attempts: 1, later_ms: 540_000, agent: null },
  { contact: '2'.repeat(32), queue: 'sales', number: '013800000008', name: null, ago_ms: 320_000, attempts: 0, later_ms: null, agent: 'okafor' },
  { contact: '3'.repeat(32), queue: 'sales', number: '+8613800000009', name: null, ago_ms: 95_000, attempts: 0, later_ms: null, agent: null },
];
export const emergencies = [{ phone: '203', label: 'Desk 3', place: 'North Street 7', floor: '3', room: '312', at: NOW - 20_000, ago_ms: 20_000, notice: 'e'.repeat(32), seen: [] }];
export const deskNotices = [{ notice: 'd'.repeat(32), what: 'outward_cap', place: 'Annex', trunk: null, at: NOW - 200_000, ago_ms: 200_000, seen: [] }, { notice: 'e'.repeat(32), what: 'trunk_expired', place: null, trunk: 'City Carrier', at: NOW - 250_000, ago_ms: 250_000, seen: [] }];

export const consoleMe = {
  login: 'mei', role: 'administrator', sites: null,
  may: ['see_sites', 'see_configuration', 'change_configuration', 'see_figures', 'enrol', 'see_boxes', 'revoke_box', 'offer_bundle', 'see_audit', 'answer_notice', 'see_people', 'change_people', 'group_sites', 'roll_out', 'drill'],
};
export const people = [
  { login: 'audit@example.org', role: 'compliance', sites: null, created: NOW - 9000 * min, disabled: null, signed_in: NOW - 3000 * min, issuer: 'https://id.example.org' },
  { login: 'lena@example.org', role: 'site_administrator', sites: ['north', 'harbour'], created: NOW - 8000 * min, disabled: null, signed_in: NOW - 45 * min, issuer: null },
  { login: 'mei', role: 'administrator', sites: null, created: NOW - 9000 * min, disabled: null, signed_in: NOW - 2 * min, issuer: null },
  { login: 'old@example.org', role: 'viewer', sites: null, created: NOW - 9000 * min, disabled: NOW - 100 * min, signed_in: null, issuer: null },
];
export const deskMe = { agent: 'li', badge: 'Li', role: 'supervisor', site: { id: 'north', label: 'North Street', time_zone: 'Asia/Shanghai' } };

const contact = (n, over) => ({
  contact: String(n).padStart(32, '0'), direction: 'inbound', trunk: 'carrier', number: '+8675512345678', arrived: NOW - n * 37 * min,
  queue: 'sales', queued: NOW - n * 37 * min + 6000, answered: NOW - n * 37 * min + 20_000, ended: NOW - n * 37 * min + 200_000, agent: 'li', answered_at: null,
  outcome: 'answered', cause: 'caller', wait_ms: 14_000 + n * 900, talk_ms: 180_000 + n * 7000, hold_ms: 0, wrap_up_ms: 12_000, offers: 1,
  recording: String(n).padStart(32, 'a'), caller: { number: `+86138000000${String(n).padStart(2, '0')}`, name: n % 3 === 0 ? 'Zhang Wei' : null }, notes: [], ...over,
});

export const messages = {
  messages: [
    { contact: '0000000000000000000000000000c101', queue: 'sales', at: Date.now() - 3_900_000, recording: '000000000000000000000000000000b1', ms: 34_000, done_by: null, done_at: null, caller: { number: '+8613512345678', name: 'Wang Fang' } },
    { contact: '0000000000000000000000000000c102', queue: 'repairs', at: Date.now() - 600_000, recording: '000000000000000000000000000000b2', ms: 8_000, done_by: null, done_at: null, caller: { number: '', name: null } },
  ],
};

export const contacts = {
  contacts: [
    contact(1, { disposition: { code: 'sold' }, notes: [{ agent: 'li', at: NOW - 30 * min, text: 'Ordered two, to be fetched on Friday.\nAsked for <b>Wang</b> next time.' }] }),
    contact(2, { outcome: 'abandoned', answered: null, agent: null, recording: null, talk_ms: 0, wait_ms: 61_000 }),
    contact(3, { agent: 'wang', disposition: { code: 'complaint' }, corrected: { by: 'chen', at: NOW - 20 * min } }),
    contact(4, { direction: 'outbound', queue: null, queued: null, wait_ms: 0, caller: { number: '075512345678', name: null } }),
    contact(5, { caller: null }),
    contact(6, { outcome: 'in_flow', queue: null, queued: null, answered: null, agent: null, recording: null, talk_ms: 0 }),
    contact(24, { answered_at: 'harbour', agent: null }),
    contact(25, { queue: 'claims', agent: 'chen' }),
  ],
  dispositions: config.site.dispositions,
  correct_within_ms: null,
  more: true,
};

const of = (n, over) => {
  const { caller: _, ...cdr } = contact(n, over);
  return cdr;
};

/** What is known of who calls. */
export const contactCard = {
  contact: 'c'.repeat(32),
  dispositions: { 'call-again': 'Call again', complaint: 'Complaint', sold: 'Sold' },
  known: {
    shown: [['Account', '4711-0815'], ['Gold customer', '✓']],
    note: { version: 3, text: 'Wants the blue one. Calls again on Friday about the delivery.' },
    notes: [{ agent: 'wang', at: NOW - 4 * min, text: 'Handed over: asks for a discount <script>alert(1)</script>' }],
    earlier: [
      of(30, { agent: 'wang', disposition: { code: 'call-again' }, recording: null, notes: [{ agent: 'wang', at: NOW, text: 'Compares us with two others.\nBest in the afternoon.' }] }),
      of(71, { disposition: { code: 'information' } }),
      of(140, { outcome: 'abandoned', answered: null, agent: null, recording: null, talk_ms: 0, queue: 'claims' }),
      of(160, { direction: 'outbound', queue: null, queued: null, disposition: 'none_chosen' }),
    ],
    more: true,
    labels: config.site.dispositions,
  },
};

/** Two people who take turns, 20 s. */
export function waveform() {
  const turn = (n, whose) => (Math.floor(n / 40) % 2 === whose ? Math.round(90 + 80 * Math.abs(Math.sin(n * 1.7)) * Math.abs(Math.sin(n / 9))) : n % 7);
  const side = (whose) => Array.from({ length: 400 }, (_, n) => turn(n, whose));
  return { ms: 50, caller: side(0), agent: side(1) };
}

/** A second of a soft tone: 8 kHz, 16 bit, mono. */
export function wav() {
  const samples = 8000 * 20;
  const out = Buffer.alloc(44 + samples * 2);
  out.write('RIFF', 0); out.writeUInt32LE(36 + samples * 2, 4); out.write('WAVEfmt ', 8);
  out.writeUInt32LE(16, 16); out.writeUInt16LE(1, 20); out.writeUInt16LE(1, 22); out.writeUInt32LE(8000, 24);
  out.writeUInt32LE(16_000, 28); out.writeUInt16LE(2, 32); out.writeUInt16LE(16, 34); out.write('data', 36); out.writeUInt32LE(samples * 2, 40);
  for (let n = 0; n < samples; n++) out.writeInt16LE(Math.round(Math.sin(n / 6) * 3000), 44 + n * 2);
  return out;
}

/** A window of trends: the airport is cut off, and the old town was this morning. */
export function trends(from, to, length_s, named, apart) {
  const step = length_s * 1000;
  const now = Date.now();
  const per = length_s / 900;
  const series = (weight, only) => {
    const bins = [];
    for (let at = from; at < to; at += step) {
      const over = at + step + 120_000 <= now;
      const hour = new Date(at).getUTCHours();
      const busy = Math.max(0, Math.sin(((hour + 2) / 24) * Math.PI * 2 - 1) + 0.55);
      const offered = over ? Math.round(busy * weight * per * (0.8 + ((at / 900_000) % 7) / 17)) : 0;
      const abandoned = Math.round(offered * 0.07);
      const answered = offered - abandoned;
      const cut = at > now - 9_300_000;
      const was = at > now - 30_000_000 && at < now - 24_000_000;
      const expected = over ? (only ? 1 : 4) * per : 0;
      const arrived = over ? (cut ? (only ? 0 : 3 * per) : expected) : 0;
      const few = only && arrived > 0 && offered < 5;
      const shown = few || (only && cut) ? 0 : 1;
      bins.push({
        start: at, offered: offered * shown, answered: answered * shown, abandoned: abandoned * shown, answered_in_t: Math.round(answered * 0.86) * shown, abandoned_in_t: Math.round(abandoned * 0.3) * shown,
        overflowed: 0, recorded: answered * shown, wait_s: answered * 17 * shown, talk_s: answered * 164 * shown, hold_s: 0, wrap_up_s: answered * 21 * shown,
        expected, arrived, isolated: was ? per : 0, late: 0, small: few ? arrived : 0,
      });
    }
    return bins;
  };
  const queues = named.map((queue) => ({ queue, bins: series({ sales: 24, tickets: 15, claims: 7 }[queue] ?? 3, true) }));
  const site = (id, over) => ({ site: id, linked: true, data_age_s: 42, known: true, known_until: now - 300_000, lateness_ms_max: 0, queues: ['sales', 'claims', 'tickets'], expected: 96, arrived: 96, isolated: 0, late: 0, ...over });
  return {
    now, length_s, bins: series(41, false), queues: apart ? [] : queues, branches: apart ? sites.map((one, n) => ({ site: one.site, bins: series(6 + 5 * n, true) })) : [],
    sites: [
      site('north', {}), site('harbour', { late: 3, lateness_ms_max: 2_640_000 }), site('airport', { linked: false, data_age_s: 9300, arrived: 86, known_until: now - 9_300_000 }),
      site('old-town', { isolated: 7, lateness_ms_max: 6_300_000 }), site('west', { linked: false, data_age_s: null, known: true, known_until: null, expected: 12, arrived: 0, queues: [] }),
    ],
  };
}

const difference = (offered, answered) => ({ offered, answered, abandoned: offered - answered, answered_in_t: answered, abandoned_in_t: 0, overflowed: 0, recorded: answered, wait_s: answered * 9, talk_s: 0, hold_s: 0, wrap_up_s: 0 });
export const corrections = {
  corrections: [
    { site: 'old-town', kind: 'late', first_received: NOW - 395 * min, last_received: NOW - 394 * min, since: NOW - 500 * min, until: NOW - 395 * min, intervals: 7, cells: 9, difference: difference(58, 52) },
    { site: 'north', kind: 'revised', first_received: NOW - 410 * min, last_received: NOW - 402 * min, since: NOW - 430 * min, until: NOW - 415 * min, intervals: 0, cells: 1, difference: difference(0, 1) },
    { site: 'harbour', kind: 'late', first_received: NOW - 900 * min, last_received: NOW - 899 * min, since: NOW - 945 * min, until: NOW - 900 * min, intervals: 3, cells: 3, difference: difference(23, 23) },
  ],
  more: false,
};

export const alone = [{ until: 'disk', days: 5 }, { until: 'certificate', days: 61 }, { until: 'trunk_names', days: 6 }];
const health = (over) => ({ at: NOW - 40_000, processes_up: 3, restarts: 0, disk_free_percent: 62, phones_registered: 12, trunks_up: 2, trunks: 2, intervals_closed: 960, slot: 0, version: [0, 1, 0], alone: [{ until: 'disk', days: 23 }, { until: 'certificate', days: 3650 }], ...over });
const site = (id, label, over) => ({ site: id, label, linked: true, last_heard_ms_ago: 1800, data_age_s: 42, completeness: 1, tags: [], drill: null, drill_apart: false, queues_waiting: null, software: '0.1.0', health: health({}), findings: { repaired: 0, warning: 0, fatal: 0 }, ...over });

const notice = (n, over) => ({ site: 'north', site_label: 'North Street', notice: String(n).repeat(32).slice(0, 32), at: NOW - 90_000, received: NOW - 88_000, what: 'emergency_answered', alarm: true, place: 'Annex', trunk: null, seen_by: null, seen: null, ...over });
export const notices = [
  notice(1, {}),
  notice(2, { site: 'airport', site_label: 'Airport', what: 'trunk_expired', place: null, trunk: 'City Carrier', at: NOW - 9_300_000 }),
  notice(3, { what: 'outward_cap', seen_by: 'mei', seen: NOW - 1000 }),
];

export const sites = [
  site('north', 'North Street', { tags: ['coast', 'pilot'], findings: { repaired: 1, warning: 2, fatal: 0 } }),
  site('harbour', 'Harbour', { tags: ['coast'] }),
  site('airport', 'Airport', { linked: false, last_heard_ms_ago: 9_240_000, data_age_s: 9300, completeness: 0.973, health: health({ trunks_up: 1 }) }),
  site('old-town', 'Old Town', { health: health({ disk_free_percent: 6, alone: [{ until: 'disk', days: 4 }] }), findings: { repaired: 0, warning: 0, fatal: 1 }, completeness: 0.9995 }),
  site('west', 'West Gate', { linked: false, last_heard_ms_ago: null, data_age_s: null, completeness: null, software: null, health: null }),
];

export function figures(from, to, length_s) {
  const cells = [];
  for (let at = from; at < to; at += length_s * 1000) {
    const hour = new Date(at).getUTCHours();
    const busy = Math.max(0, Math.sin(((hour + 2) / 24) * Math.PI * 2 - 1) + 0.6);
    for (const [id, queue, weight] of [['north', 'sales', 26], ['north', 'claims', 11], ['north', null, 3], ['harbour', 'sales', 19], ['airport', 'tickets', 22], ['old-town', 'service', 8]]) {
      if (at + length_s * 1000 > Date.now()) continue;
      if (id === 'airport' && at > Date.now() - 9_300_000) continue;
      const offered = Math.round(busy * weight * (length_s / 1800) * (0.8 + ((at / 1_800_000) % 7) / 17));
      if (offered === 0) continue;
      const abandoned = Math.round(offered * 0.06);
      const answered = offered - abandoned;
      cells.push({ site: id, queue, start: at, length_s, revision: 1, figures: { offered, answered, abandoned, answered_in_t: Math.round(answered * 0.86), abandoned_in_t: Math.round(abandoned * 0.3), overflowed: Math.round(offered * 0.03), recorded: answered, wait_s: answered * 17, talk_s: answered * 164, hold_s: answered * 9, wrap_up_s: answered * 21 } });
    }
  }
  return { figures: cells, completeness: Object.fromEntries(sites.map((s) => [s.site, s.completeness])) };
}

const boxId = (digits) => digits.repeat(16).slice(0, 32);
const box = (digit, at, over) => ({
  box: boxId(digit), site: at, enrolled: NOW - 90 * 1440 * min, certificate_until: NOW + 61 * 1440 * min, revoked: null, linked: true, linked_since: NOW - 3 * 1440 * min, egress: { line: 128_411, at: NOW - min, disputed: 0 },
  behind: 0, skew_ms: 12, media: true, software: '0.1.0', health: health({}), ...over,
});

export const boxes = [
  box('4f1a09bc', 'airport', { linked: false, linked_since: null, behind: null, skew_ms: null, media: null, health: health({ trunks_up: 1 }) }),
  box('b2', 'harbour', { behind: 1214, skew_ms: -4200 }),
  box('c39d', 'north', {}),
  box('7e', 'north', { revoked: NOW - 20 * 1440 * min, linked: false, linked_since: null, behind: null, skew_ms: null, media: null }),
  box('d05b', 'old-town', { health: health({ disk_free_percent: 6 }), egress: { line: 40_120, at: NOW - 3 * min, disputed: 2 }, certificate_until: NOW + 3 * 1440 * min }),
];

const moved = (site, label, is, over) => ({ site, label, is, since: NOW - 25 * min, linked: true, calls: 'few', ...over });
const rollout = (n, label, state, over) => ({ rollout: n, label, state, stopped_by: null, by: 'admin', created: NOW - 95 * min, overrule: false, wave: 0, soak_ms: 3_600_000, patience_ms: 1_800_000, wants_calls: true, ...over });
const wrapUp = [{ set: 'queue_wrap_up', queue: 'sales', seconds: 45 }, { set: 'queue_ring', queue: 'sales', seconds: 25 }];
export const rollouts = [
  rollout(5, 'Evening music', 'unreadable', { by: null, changes: [{ set: 'queue_music', queue: 'sales', prompt: 'music-3' }], waves: [] }),
  rollout(4, 'Shorter menu', 'awaits_second', { changes: [{ set: 'queue_remove', queue: 'claims' }], waves: [[moved('north', 'North Street', 'waiting')], [moved('harbour', 'Harbour', 'waiting'), moved('old-town', 'Old Town', 'waiting')]] }),
  rollout(3, 'A breath between calls', 'running', { wave: 1, overrule: true, changes: wrapUp, waves: [[moved('north', 'North Street', 'passed', { calls: 'as_before' })], [moved('harbour', 'Harbour', 'runs'), moved('airport', 'Airport', 'written', { linked: false })], [moved('old-town', 'Old Town', 'waiting')]] }),
  rollout(2, 'New greeting', 'reverted', { why: 'calls_fell', site: 'north', created: NOW - 2900 * min, changes: [{ set: 'queue_music', queue: 'sales', prompt: 'music-2' }], waves: [[moved('north', 'North Street', 'taken_back', { calls: 'worse', left: 1 }), moved('airport', 'Airport', 'stuck')], [moved('harbour', 'Harbour', 'waiting')]] }),
  rollout(1, 'Winter hours', 'done', { wave: 2, created: NOW - 9000 * min, changes: [{ set: 'hours_week', hours: 'office', week: [{ day: 0, from_min: 540, to_min: 1020 }] }], waves: [[moved('north', 'North Street', 'passed', { calls: 'as_before' })], [moved('harbour', 'Harbour', 'alike')]] }),
];
export const templates = [
  { template: 'breath', label: 'A breath between calls', destructive: false, author: 'mei', at: NOW - 3000 * min, changes: wrapUp },
];
export const looked = {
  destructive: false,
  sites: [
    { site: 'north', label: 'North Street', fits: true, refused: null, differences: [{ path: 'queues/sales/wrap_up_s', before: 20, after: 45 }, { path: 'queues/sales/ring_s', before: 15, after: 25 }], findings: [] },
    { site: 'harbour', label: 'Harbour', fits: true, refused: null, differences: [], findings: [] },
    { site: 'old-town', label: 'Old Town', fits: false, refused: [0, 'there is no queues/sales'], differences: [], findings: [] },
  ],
};

const mark = (fn, verdict) => ({ function: fn, verdict });
const kept = ['incoming', 'waiting', 'outgoing', 'recording', 'records', 'phones', 'lines', 'help', 'disk'].map((fn) => mark(fn, 'kept'));
const promised = [mark('overflow', 'less'), mark('centre', 'less')];
const told = { offered: 44, answered: 41, abandoned: 3, answered_in_t: 38, abandoned_in_t: 1, overflowed: 0, recorded: 41, wait_s: 320, talk_s: 8_100, hold_s: 240, wrap_up_s: 900 };
const drillReport = (began, over) => ({
  drill: { at: began, minutes: 30 }, began, ended: began + 30 * min, lasted_ms: 30 * min, why: 'deadline', outcome: 'passed', joined: began + 30 * min + 4_200, delivered: began + 30 * min + 5_900, rows: 12,
  during: { offered: 21, answered: 20, abandoned: 1, recorded: 20, wait_s: 180 }, before: { offered: 23, answered: 21, abandoned: 2, recorded: 21, wait_s: 160 },
  alone: [{ until: 'disk', days: 23 }, { until: 'certificate', days: 61 }], marks: [...kept, mark('certificate', 'kept'), mark('trunk_names', 'unasked'), ...promised, mark('delivery', 'kept')], told, ...over,
});
const broken = drillReport(NOW - 9_000 * min, { why: 'emergency', outcome: 'not_passed', ended: NOW - 8_991 * min, lasted_ms: 9 * min, joined: null, delivered: null, marks: [...kept, mark('certificate', 'broken'), mark('trunk_names', 'unasked'), ...promised, mark('delivery', 'broken')] });
export const deskDrills = { ordered: { at: NOW + 600 * min, minutes: 30 }, reports: [drillReport(NOW - 2_900 * min, {}), broken] };
const away = { during: null, before: null };
export const drills = {
  ordered: [{ site: 'airport', label: 'Airport', drill: { at: NOW - 10 * min, minutes: 30 }, until: NOW + 20 * min, apart: true }, { site: 'north', label: 'North Street', drill: { at: NOW + 600 * min, minutes: 30 }, until: NOW + 630 * min, apart: false }],
  reports: [
    { site: 'harbour', label: 'Harbour', box: 'b2', report: { ...drillReport(NOW - 2_900 * min, {}), ...away }, whole: true, equal: true, outcome: 'passed', received: NOW - 2_860 * min },
    { site: 'old-town', label: 'Old Town', box: 'd05b', report: { ...broken, ...away }, whole: false, equal: true, outcome: 'not_passed', received: NOW - 8_900 * min },
    { site: 'north', label: 'North Street', box: 'a1', report: { ...drillReport(NOW - 12_000 * min, { marks: [...kept.map(({ function: fn }, at) => mark(fn, at < 5 ? 'withheld' : 'kept')), ...promised, mark('delivery', 'kept')] }), ...away }, whole: true, equal: true, outcome: 'not_known', received: NOW - 11_900 * min },
    { site: 'station', label: 'Station', box: 'c7', report: { ...drillReport(NOW - 13_000 * min, { why: 'not_run_overflow', ended: NOW - 13_000 * min, lasted_ms: 0, joined: null, delivered: null, marks: [] }), ...away }, whole: true, equal: true, outcome: 'not_passed', received: NOW - 12_990 * min },
  ],
};

export const bundles = [
  { name: 'branchline-0.2.0.raucb', version: '0.2.0', sha256: '9d41c3'.repeat(11).slice(0, 64), size: 187_400_000, added: NOW - 300 * min, offered_to: ['north', 'harbour'] },
  { name: 'branchline-0.1.0.raucb', version: '0.1.0', sha256: '07be52'.repeat(11).slice(0, 64), size: 184_100_000, added: NOW - 60 * 1440 * min, offered_to: [] },
];

export const code = `${'q8ZtVw2LrXk0JmYb5NdSeA'}.${'5c0e1b7a'.repeat(8)}`;

const by = (doc, seq, ago, over) => ({ doc, seq, side: 'centre', author: 'mei', written: NOW - ago * min, taken: NOW - ago * min, ...over });
const atBranch = (seq, ago, taken) => by('local', seq, ago, { side: 'branch', author: null, taken: NOW - taken * min });
const field = (path, before, after, stands = true) => ({ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }), stands });

export const history = {
  more: true,
  entries: [
    { ...by('local', 7, 3), fields: [field('queues/claims/wrap_up_s', 60, undefined)], more: 0, change: { undo: { doc: 'local', seq: 3 } } },
    { ...atBranch(6, 310, 4), fields: [field('queues/sales/ring_s', 20, 15), field('queues/sales/wrap_up_s', undefined, 25)], more: 0, change: null },
    { ...by('local', 5, 50), fields: [field('queues/sales/ring_s', 20, 15, false)], more: 0, change: { set: 'queue_ring', queue: 'sales', seconds: 15 } },
    { ...by('local', 4, 300), fields: [field('agents/wang/queues/claims', undefined, true)], more: 0, change: { set: 'agent_queue', agent: 'wang', queue: 'claims', member: true } },
    { ...by('site', 12, 320), fields: [field('queues/sales/overflow_to', '', 'harbour airport')], more: 0, change: { set: 'queue_overflow_to', queue: 'sales', to: ['harbour', 'airport'] } },
    { ...by('site', 11, 2000, { author: 'admin' }), fields: Array.from({ length: 7 }, (_, day) => field(`hours/office/week/${day}`, '540-1080', day < 5 ? '540-720 780-1080' : '')), more: 0, change: { set: 'hours_week', hours: 'office', week: config.hours.office.week.slice(0, 4) } },
    { ...by('site', 1, 9000, { author: 'cloudd' }), fields: [field('trunks/carrier/is', undefined, true), field('trunks/carrier/kind', undefined, '{"by":"address","peer":"203.0.113.5:5060","transport":"udp"}'), field('trunks/carrier/calls_max', undefined, 30)], more: 4, change: { set: 'trunk_put', trunk: 'carrier', value: config.trunks.carrier } },
  ],
};

const said = (who, value) => ({ ...who, value });
const [mine, theirs] = [by('local', 5, 50), atBranch(6, 310, 4)];
const met = { path: 'queues/sales/ring_s', rule: 'ask', said: [said(mine, 15), said(theirs, 25)], kept: 25, waits: true, decided: null };
export const merge = {
  waiting: [met],
  differs: [{ path: 'queues/claims/hours', rule: 'branch_wins', said: [said(by('site', 3, 9000), 'office'), said(atBranch(2, 700, 700), null)], kept: null, waits: false, decided: null }],
  meetings: [
    {
      from: NOW - 310 * min, until: NOW - 4 * min, more: 0,
      centre: [{ ...mine, fields: [field('queues/sales/ring_s', 20, 15, false)], more: 0 }, { ...by('local', 4, 300), fields: [field('agents/wang/is', true, false)], more: 0 }],
      branch: [{ ...theirs, fields: [field('queues/sales/ring_s', 20, 25), field('agents/wang/badge', 'Wang', 'Wang Wei')], more: 0 }],
      outcomes: [met, { path: 'agents/wang/badge', rule: 'removed', said: [said(by('local', 4, 300), false), said(theirs, 'Wang Wei')], waits: false, decided: null }],
    },
    {
      from: NOW - 4000 * min, until: NOW - 3600 * min, more: 3,
      centre: [{ ...by('site', 9, 3900), fields: [field('queues/claims/service_level_s', 20, 30)], more: 0 }],
      branch: [],
      outcomes: [{ path: 'queues/claims/locality', rule: 'strictest', said: [said(by('local', 1, 3900), 'may_leave'), said(atBranch(2, 3950, 3600), 'local_only')], kept: 'local_only', waits: false, decided: null }],
    },
  ],
};

export const tokens = [
  { name: 'drift-check', role: 'analyst', sites: null, created: NOW - 9000 * min, created_by: 'admin', expires: NOW + 80_000 * min, used: NOW - 12 * min, revoked: null },
  { name: 'git', role: 'site_administrator', sites: ['north', 'harbour'], created: NOW - 200 * min, created_by: 'mei', expires: null, used: null, revoked: null },
  { name: 'old', role: 'viewer', sites: null, created: NOW - 90_000 * min, created_by: 'admin', expires: null, used: NOW - 60_000 * min, revoked: NOW - 50_000 * min },
];

export const blame = [
  { ...by('site', 12, 320), path: 'queues/sales/overflow_to', value: 'harbour airport' },
  { ...theirs, path: 'queues/sales/ring_s', value: 25 },
  { ...by('site', 1, 9000, { author: 'cloudd' }), path: 'queues/sales/label', value: 'Sales' },
];
export const diff = { from: NOW - 86_400_000, to: NOW, differences: [{ path: 'queues/sales/ring_s', before: 20, after: 25 }, { path: 'agents/wang/is', before: true }, { path: 'hours/office/closed/2026-12-25', after: true }] };

export const audit = {
  entries: [
    { seq: 21, at: NOW - 2 * min, who: 'mei', what: 'session.open', detail: {} },
    { seq: 20, at: NOW - 50 * min, who: 'mei', what: 'config.change', detail: { site: 'north', doc: 'local', changes: 1, heads: ['4be1'] } },
    { seq: 0, at: NOW - 51 * min, who: 'mei', what: 'config.undo', detail: { site: 'north', doc: 'local', seq: 3, fields: 2 } },
    { seq: 19, at: NOW - 95 * min, who: 'admin', what: 'box.code', detail: { site: 'west', expires: NOW + 60 * min } },
    { seq: 18, at: NOW - 2800 * min, who: 'admin', what: 'box.revoke', detail: { box: boxId('7e') } },
    { seq: 17, at: NOW - 2900 * min, who: 'admin', what: 'bundle.offer', detail: { site: 'north', bundle: 'branchline-0.2.0.raucb', sha256: '9d41c3'.repeat(10) } },
    { seq: 16, at: NOW - 3000 * min, who: 'cloudd', what: 'box.enrol', detail: { box: boxId('c39d'), site: 'north' } },
    { seq: 2, at: NOW - 8990 * min, who: 'cloudd', what: 'user.add', detail: { login: 'mei', role: 'administrator' } },
    { seq: 1, at: NOW - 9000 * min, who: 'cloudd', what: 'org.found', detail: { label: 'Example Ltd', admin: 'admin' } },
  ],
  broken_at: null,
};

export const egressSums = {
  classes: [['metric', 212, 48_120], ['health', 96, 8_640], ['configuration', 14, 12_310], ['handshake', 2, 410], ['notice', 1, 92], ['checkpoint', 88, 18_200]],
  lines: 128_412, signed: { line: 128_411, at: NOW - 20_000 }, cloud: { line: 128_409, at: NOW - min }, customer: null, has_customer: false,
};
const left = (line, cls, said) => ({ line, at: NOW - (128_412 - line) * min, class: cls, bytes: 91 + (line % 7) * 30, sha256: '5be1c09a'.repeat(8), said });
export const egressLines = [
  left(128_411, 'checkpoint', { frame: 'checkpoint', first: 128_400, count: 10, root: '9d41c3'.repeat(10) }),
  left(128_410, 'health', { item: 'health', at: NOW - 2 * min, processes_up: 3, restarts: 0, disk_free_percent: 62, phones_registered: 12, trunks_up: 2, trunks: 2 }),
  left(128_409, 'metric', { item: 'interval', queue: 'sales', start: NOW - 15 * min, length_s: 900, revision: 1, figures: { offered: 42, answered: 40, abandoned: 2 } }),
  left(128_408, 'overflow media', null),
];

const forwardNone = { always: null, busy: null, no_answer: null, after_s: 20, unregistered: null };
export const phones = {
  phones: [
    { phone: '201', label: 'Desk 1', badge: 'Li', protection: 'preferred', forward: { ...forwardNone, busy: '202', no_answer: '+8675512345678' }, registered: [{ transport: 'tls', private: true, address: '10.1.0.21:50612', user_agent: 'Yealink SIP-T46U 108.86.0.45' }, { transport: 'wss', private: true, address: '10.1.0.77:41210', user_agent: null }], enrolled: { make: 'yealink', mac: '001565abcdef', open_until: null, fetched: NOW - 95 * min, model: 'SIP-T46U', firmware: '108.86.0.45' } },
    { phone: '202', label: 'Desk 2', badge: 'Wang', protection: 'required', forward: forwardNone, registered: [], enrolled: { make: 'snom', mac: '000413abcdef', open_until: NOW + 25 * min, fetched: null, model: null, firmware: null } },
    { phone: '203', label: 'Desk 3', badge: null, protection: 'clear', forward: forwardNone, registered: [{ transport: 'udp', private: false, address: '10.1.0.23:5060', user_agent: 'baresip v1.0.0' }], enrolled: null },
  ],
};

const COUNTS = ['contacts', 'in_progress', 'offered', 'answered', 'abandoned', 'short_abandoned', 'answered_in_t'];
const RATES = ['service_level', 'service_level_offered', 'service_level_any', 'abandonment', 'abandonment_raw'];
const TIMES = ['asa', 'aht', 'talk', 'hold', 'wrap_up'];
const OF_AGENTS = ['signed_in', 'ready', 'ringing', 'talking', 'writing_up', 'paused'];

/** What the box answers when it is asked for a report: hours of a day in which it was down from ten to twelve. */
export function reportLines(asked) {
  const by = (asked.get('by') ?? '').split(',').filter(Boolean);
  const step = asked.get('step');
  const midnight = Date.parse(`${asked.get('from')}T00:00:00+08:00`);
  const length = step === 'total' ? 24 * 60 * min : 60 * min;
  const times = Array.from({ length: step === 'total' ? 1 : 15 }, (_, n) => {
    const down = step !== 'total' && (n === 10 || n === 11);
    const part = step !== 'total' && n === 12 ? 11 * min : 0;
    return { start: midnight + n * length, until: midnight + (n + 1) * length, down_ms: down ? length : part, down, running: n === 14 };
  });
  const keys = by.includes('agent') ? ['li', 'wang', 'chen', 'okafor', null] : by.includes('queue') ? ['claims', 'repairs', 'sales'] : by.length > 0 ? [null] : [undefined];
  const column = (name, unit) => ({ name, unit, formula: `${name}: as NORMS 4 says` });
  const tells = by.every((one) => one === 'agent');
  const columns = [
    ...COUNTS.map((name) => column(name, 'count')), ...RATES.map((name) => column(name, 'permille')), ...TIMES.map((name) => column(name, 'ms')),
    ...(tells ? [...OF_AGENTS.map((name) => column(name, 'ms')), column('occupancy', 'permille'), column('pause/lunch', 'ms'), column('pause/:missed', 'ms')] : []),
  ];
  const values = (n, k, scale) => {
    const offered = Math.round((4 + 9 * Math.abs(Math.sin(n / 3 + k)) * (n > 7 ? 1 : 0.1)) * scale);
    const answered = Math.round(offered * 0.86);
    const level = offered === 0 ? null : 780 + ((n * 37 + k * 51) % 200);
    const own = tells ? [480 * min, 120 * min, 6 * min, 270 * min, 48 * min, 36 * min, 716, 30 * min, 6 * min] : [];
    return [
      offered, 0, offered, answered, offered - answered, 1, Math.round(answered * 0.8), level, level === null ? null : level - 20, level, 61, 140,
      12_000 + n * 700, 201_000 + k * 9000, answered * 160_000, answered * 11_000, answered * 30_000, ...own,
    ];
  };
  const rows = times.flatMap((time, n) => (time.down ? [] : keys.map((key, k) => ({ time: n, key: key === undefined ? [] : [key], values: values(n + 8, k, step === 'total' ? 12 : 1) }))));
  const labels = { queue: { claims: 'Claims', repairs: 'Repairs & spare parts', sales: 'Sales' }, agent: { li: 'Li', wang: 'Wang', chen: 'Chen', okafor: 'Okafor' }, pause: { lunch: 'Lunch' } };
  const report = { site: deskMe.site, made: NOW, from: asked.get('from'), until: asked.get('until'), step, by, only: {}, columns, times, rows, total: values(9, 1, 40), labels };
  return `${JSON.stringify({ progress: { done: 500, of: 812 } })}\n${JSON.stringify({ report })}\n`;
}

/** What stands beyond its threshold. */
export const alerts = [
  { queue: 'sales', label: 'Sales', alert: 'longest_wait', value: 74, agent: null, contact: null, since_ms: 14_000 },
  { queue: 'sales', label: 'Sales', alert: 'service_level', value: 743, agent: null, contact: null, since_ms: 1_260_000 },
  { queue: 'claims', label: 'Claims', alert: 'unserved', value: 0, agent: null, contact: null, since_ms: 41_000 },
  { queue: 'claims', label: 'Claims', alert: 'quality', value: 58, agent: 'wang', contact: 'c'.repeat(32), since_ms: 25_000 },
];

const promiseOf = (over = {}) => ({ budget_ms: 14_400_000, spent_ms: 0, since: NOW - 60 * min, warned: false, breached: null, done: null, ...over });
const ticketOf = (number, over = {}) => ({
  ticket: String(number).padStart(32, '0'), number, version: 3, state: 'open', priority: 'normal', category: null, queue: 'sales', assignee: null, contacts: ['c'.repeat(32)], opened: NOW - 300 * min, opened_by: 'li', changed: NOW - number * min,
  first_answer: promiseOf(), resolution: promiseOf(), solved: null, subject: 'Wants a receipt in another name', first_answer_due: NOW + 180 * min, resolution_due: NOW + 2_000 * min, ...over,
});
const ticketCategories = { delivery: 'Delivery', invoice: 'Invoices & receipts' };

export const tickets = {
  tickets: [
    ticketOf(12, { subject: 'The blue one came broken <b>again</b>: another by Friday, or the money back, as Wang has promised', priority: 'urgent', category: 'delivery', assignee: 'li', state: 'waits_for_us', first_answer: promiseOf({ done: NOW }), first_answer_due: null, resolution: promiseOf({ warned: true, breached: NOW - min }), resolution_due: NOW - 5 * min }),
    ticketOf(11, { priority: 'high', category: 'invoice', first_answer: promiseOf({ warned: true }), first_answer_due: NOW + 9 * min }),
    ticketOf(10, { assignee: 'wang', state: 'waits_for_customer', first_answer_due: null, resolution_due: null, subject: 'Asked for a photograph of the damage' }),
    ticketOf(8, { priority: 'low', queue: null, subject: null }),
    ticketOf(7, { state: 'solved', assignee: 'chen', queue: 'claims', first_answer_due: null, resolution_due: null, subject: '更换收货地址' }),
  ],
  categories: ticketCategories,
  now: NOW,
  more: true,
};

export const ticketShown = {
  ...tickets.tickets[0],
  entries: [
    { at: NOW - 300 * min, by: 'li', what: { is: 'opened', queue: 'sales', priority: 'high', category: 'delivery', contact: 'c'.repeat(32) }, text: 'Came broken for the second time.\nWants another one by Friday <script>alert(1)</script>' },
    { at: NOW - 299 * min, by: 'li', what: { is: 'assigned', agent: 'wang', queue: 'sales' }, text: null },
    { at: NOW - 280 * min, by: 'wang', what: { is: 'commented', said: 'to_customer' }, text: 'We send another today.' },
    { at: NOW - 280 * min, by: 'wang', what: { is: 'kept', promise: 'first_answer' }, text: null },
    { at: NOW - 280 * min, by: 'wang', what: { is: 'moved', from: 'open', to: 'waits_for_customer' }, text: null },
    { at: NOW - 120 * min, by: 'chen', what: { is: 'rated', priority: 'urgent' }, text: null },
    { at: NOW - 119 * min, by: 'li', what: { is: 'moved', from: 'waits_for_customer', to: 'waits_for_us' }, text: null },
    { at: NOW - 60 * min, by: null, what: { is: 'warned', promise: 'resolution' }, text: null },
    { at: NOW - min, by: null, what: { is: 'breached', promise: 'resolution' }, text: null },
  ],
  links: [
    { contact: 'c'.repeat(32), arrived: NOW - 301 * min, direction: 'inbound', agent: 'li', recording: 'a'.repeat(32), caller: { number: '+8613800000001', name: 'Zhang <b>Wei</b>' } },
    { contact: 'd'.repeat(32), arrived: null, direction: null, agent: null, recording: null, caller: { number: '', name: null } },
  ],
  categories: ticketCategories,
  moves: ['waits_for_customer', 'solved'],
  now: NOW,
};

export const ticketTerms = {
  hours: 'office',
  categories: ticketCategories,
  promises: { low: { first_answer_min: 480, resolution_min: 4_800 }, normal: { first_answer_min: 240, resolution_min: 2_400 }, high: { first_answer_min: 60, resolution_min: 960 }, urgent: { first_answer_min: 15, resolution_min: 240 } },
  warn_percent: 80,
};

const saidIn = (room, n, by, text) => ({ n, room, by, at: NOW - (60 - n) * min, text });
export const chatRooms = {
  rooms: [
    { room: 'two.li.wang', last: saidIn('two.li.wang', 44, 'wang', 'The blue one is on the left <b>shelf</b>'), unread: 2 },
    { room: 'queue.sales', last: saidIn('queue.sales', 40, 'li', 'Lunch in ten minutes'), unread: 0 },
    { room: 'supervisors.sato', last: saidIn('supervisors.sato', 31, 'sato', '我的话机坏了，请帮忙看一下'), unread: 1 },
  ],
  queues: ['claims', 'repairs', 'sales'],
};
export const chatMessages = {
  messages: [
    saidIn('two.li.wang', 41, 'li', 'Where is the blue one?'),
    saidIn('two.li.wang', 42, 'li', 'A customer waits for it.\nIt is for Friday.'),
    saidIn('two.li.wang', 43, 'wang', '<img src=x onerror=alert(1)>'),
    saidIn('two.li.wang', 44, 'wang', 'The blue one is on the left <b>shelf</b>'),
  ],
  more: true,
};
