//! Zones in, targets out; and days on which DNS is wrong, slow or dead.

use super::*;

/// One record a line: `NAME NAPTR order preference flags service replacement`, `NAME SRV priority weight port target`,
/// `NAME A address`.
struct Zone(Vec<(Question, Record)>);

impl Zone {
    fn new(text: &str) -> Self {
        Self(text.lines().filter_map(|line| record(&line.split_whitespace().collect::<Vec<_>>())).collect())
    }

    fn answer(&self, question: &Question, ttl_s: u32) -> Answer {
        let records = self.0.iter().filter(|(of, _)| of == question).map(|(_, record)| record.clone());
        Answer { records: records.collect(), ttl_s }
    }
}

fn record(words: &[&str]) -> Option<(Question, Record)> {
    let number = |at: usize| words[at].parse().unwrap();
    let dotless = |at: usize| words[at].trim_end_matches('.').to_string();
    let (kind, record) = match *words.get(1)? {
        "NAPTR" => {
            let (flags, service, replacement) = (words[4].to_string(), words[5].to_string(), dotless(6));
            (Kind::Naptr, Record::Naptr { order: number(2), preference: number(3), flags, service, replacement })
        }
        "SRV" => {
            let (priority, weight, port) = (number(2), number(3), number(4));
            (Kind::Srv, Record::Srv { priority, weight, port, target: dotless(5) })
        }
        "A" => (Kind::A, Record::Address(words[2].parse().unwrap())),
        _ => (Kind::Aaaa, Record::Address(words[2].parse().unwrap())),
    };
    Some((Question { name: words[0].to_string(), kind }, record))
}

const EVERYTHING: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

struct Rig {
    locator: Locator,
    now: Instant,
    located: Vec<Target>,
    asked: usize,
    confirmed: usize,
}

impl Rig {
    fn new(transports: &[Transport]) -> Self {
        let means = Means { transports: transports.iter().copied().collect(), v4: true, v6: true };
        let locator = Locator::new(means);
        #[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
        let now = Instant::now();
        Self { locator, now, located: Vec::new(), asked: 0, confirmed: 0 }
    }

    fn wish(&mut self, wish: Option<Wish>) {
        self.locator
            .handle_input(self.now, Input::Configure(wish.map(|wish| ("t".to_string(), wish)).into_iter().collect()));
    }

    /// DNS answers everything that is asked; None: it is dead.
    fn answer(&mut self, zone: Option<&Zone>, ttl_s: u32) {
        while let Some(output) = self.locator.poll_output() {
            match output {
                Output::Located { targets, .. } => self.located = targets,
                Output::Confirmed { .. } => self.confirmed += 1,
                Output::Ask(question) => {
                    self.asked += 1;
                    let answer = zone.map(|zone| zone.answer(&question, ttl_s));
                    self.locator.handle_input(self.now, Input::Answered { question, answer });
                }
            }
        }
    }

    /// Time passes, the locator wakes when it wants to.
    fn pass(&mut self, time: Duration, zone: Option<&Zone>) {
        let end = self.now + time;
        while let Some(at) = self.locator.poll_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.locator.handle_timeout(at);
            self.answer(zone, 60);
        }
        self.now = end;
    }
}

fn shown(targets: &[Target]) -> String {
    let one = |target: &Target| {
        let addresses: Vec<String> = target.addresses.iter().map(SocketAddr::to_string).collect();
        format!("{} {}/{} {}", target.transport.via(), target.rank, target.priority, addresses.join(" "))
    };
    targets.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn check(zone: &str, (name, transport): (&str, Transport), means: &[Transport], expected: &str) {
    let mut rig = Rig::new(means);
    rig.wish(Wish::new(name, transport));
    rig.answer(Some(&Zone::new(zone)), 60);
    assert_eq!(shown(&rig.located), expected, "{name} {transport:?} in {zone}");
}

#[test]
fn a_name_leads_where_rfc_3263_says() {
    use Transport::{Tcp, Tls, Udp};
    let full = "c.example NAPTR 50 50 s SIPS+D2T _sips._tcp.c.example.
        c.example NAPTR 90 50 s SIP+D2T _sip._tcp.c.example.
        c.example NAPTR 100 50 s SIP+D2U _sip._udp.c.example.
        _sips._tcp.c.example SRV 0 1 5061 s1.c.example.
        _sips._tcp.c.example SRV 10 1 5071 s2.c.example.
        _sip._tcp.c.example SRV 0 1 5060 s1.c.example.
        _sip._udp.c.example SRV 0 1 5062 s2.c.example.
        s1.c.example A 192.0.2.1
        s1.c.example AAAA 2001:db8::1
        s2.c.example A 192.0.2.2
        c.example A 192.0.2.9";
    let tls = "TLS 0/0 [2001:db8::1]:5061 192.0.2.1:5061, TLS 0/10 192.0.2.2:5071";
    check(full, ("c.example", Udp), &EVERYTHING, tls);
    check(full, ("C.Example.", Tls), &EVERYTHING, tls);
    // A box without TLS takes the best of what it has.
    check(full, ("c.example", Udp), &[Udp, Tcp], "TCP 0/0 [2001:db8::1]:5060 192.0.2.1:5060");
    check(full, ("c.example", Udp), &[Udp], "UDP 0/0 192.0.2.2:5062");
    check(full, ("c.example", Tcp), &EVERYTHING, "TCP 0/0 [2001:db8::1]:5060 192.0.2.1:5060");
    // A port: no NAPTR, no SRV.
    check(full, ("c.example:5070", Udp), &EVERYTHING, "UDP 0/0 192.0.2.9:5070");
    check(full, ("c.example:5070", Tls), &EVERYTHING, "TLS 0/0 192.0.2.9:5070");
    // What must be TLS is never anything else.
    check(full, ("c.example", Tls), &[Udp, Tcp], "");

    let by_srv = "_sip._udp.c.example SRV 5 0 5060 a.c.example.
        _sip._tcp.c.example SRV 0 0 5060 a.c.example.
        _sips._tcp.c.example SRV 0 0 5061 a.c.example.
        a.c.example A 192.0.2.1
        c.example A 192.0.2.9";
    check(by_srv, ("c.example", Udp), &EVERYTHING, "UDP 0/5 192.0.2.1:5060, TCP 1/0 192.0.2.1:5060");
    check(by_srv, ("c.example", Tls), &EVERYTHING, "TLS 0/0 192.0.2.1:5061");

    let by_address = "c.example A 192.0.2.9\n c.example AAAA 2001:db8::9";
    check(by_address, ("c.example", Udp), &EVERYTHING, "UDP 0/0 [2001:db8::9]:5060 192.0.2.9:5060");
    check(by_address, ("c.example", Tcp), &EVERYTHING, "TCP 0/0 [2001:db8::9]:5060 192.0.2.9:5060");
    check(by_address, ("c.example", Tls), &EVERYTHING, "TLS 0/0 [2001:db8::9]:5061 192.0.2.9:5061");

    // RFC 2782: a dot says that the service is not here, and its own addresses are not tried instead.
    check("_sip._udp.c.example SRV 0 0 0 .\n c.example A 192.0.2.9", ("c.example", Udp), &[Udp], "");
    // Rules for others, and of others.
    let strange = "c.example NAPTR 1 1 u SIP+D2U _sip._udp.c.example.
        c.example NAPTR 1 1 s E2U+sip _sip._udp.c.example.
        c.example NAPTR 1 1 s SIP+D2S _sip._sctp.c.example.
        c.example NAPTR 1 1 s SIP+D2U .
        c.example NAPTR 9 2 S sip+d2u elsewhere.example.
        c.example NAPTR 9 1 S sip+d2t tcp.example.
        c.example NAPTR 10 1 S sip+d2u beyond.example.
        elsewhere.example SRV 0 0 5066 a.example.
        tcp.example SRV 0 0 5067 a.example.
        beyond.example SRV 0 0 5068 a.example.
        a.example A 192.0.2.3";
    check(strange, ("c.example", Udp), &EVERYTHING, "TCP 0/0 192.0.2.3:5067, UDP 1/0 192.0.2.3:5066");
    // Nowhere, everywhere, and nothing.
    let lies = "c.example A 0.0.0.0\n c.example A 255.255.255.255\n c.example A 224.0.0.1\n c.example AAAA ::";
    check(lies, ("c.example", Udp), &EVERYTHING, "");
    check("", ("c.example", Udp), &EVERYTHING, "");
}

#[test]
fn a_name_is_a_name() {
    let fits = |name: &str| Wish::new(name, Transport::Udp).is_some();
    assert!(fits("c.example") && fits("c.example:5070") && fits("c"));
    for name in ["", ".", "192.0.2.1", "[2001:db8::1]:5060", "c..example", "c.example:0x", "c.example:99999", "a b"] {
        assert!(!fits(name), "{name:?}");
    }
    assert!(fits(&"a.".repeat(119)) && !fits(&"a.".repeat(130)) && !fits(&"a".repeat(64)));
}

#[test]
fn the_share_of_each_is_its_weight() {
    let target = |priority, weight, last: u8| Target {
        rank: 0,
        priority,
        weight,
        transport: Transport::Udp,
        addresses: vec![SocketAddr::from(([192, 0, 2, last], 5060))],
    };
    let targets = [target(1, 60, 1), target(1, 20, 2), target(1, 0, 3), target(2, 0, 4)];
    let mut firsts: BTreeMap<String, u32> = BTreeMap::new();
    let mut drawn = 0_u64;
    for _ in 0..8_100 {
        let ordered = order(&targets, |below| {
            drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (drawn >> 33) % below
        });
        assert_eq!(ordered.len(), 4);
        assert_eq!(ordered[3].1.to_string(), "192.0.2.4:5060", "the second priority comes last");
        *firsts.entry(ordered[0].1.to_string()).or_default() += 1;
    }
    let share = |last: u8| firsts.get(&format!("192.0.2.{last}:5060")).copied().unwrap_or(0);
    assert!((5_700..6_300).contains(&share(1)) && (1_800..2_200).contains(&share(2)), "{firsts:?}");
    assert!((40..200).contains(&share(3)), "one in eighty-one: {firsts:?}");
}

#[test]
fn dead_dns_changes_nothing_for_a_week_and_its_return_is_noticed() {
    let zone = Zone::new("_sip._udp.c.example SRV 0 0 5060 a.example.\n a.example A 192.0.2.1");
    let mut rig = Rig::new(&[Transport::Udp]);
    rig.wish(Wish::new("c.example", Transport::Udp));
    rig.answer(Some(&zone), 60);
    assert_eq!(shown(&rig.located), "UDP 0/0 192.0.2.1:5060");
    rig.pass(STALE_MAX - Duration::from_secs(120), None);
    assert_eq!(shown(&rig.located), "UDP 0/0 192.0.2.1:5060", "still the last good one");
    let moved = Zone::new("_sip._udp.c.example SRV 0 0 5060 a.example.\n a.example A 192.0.2.2");
    rig.pass(Duration::from_secs(60), Some(&moved));
    assert_eq!(shown(&rig.located), "UDP 0/0 192.0.2.2:5060", "asked again all the time");
    rig.pass(STALE_MAX + Duration::from_secs(120), None);
    assert_eq!(shown(&rig.located), "", "a week is over");
}

#[test]
fn a_dns_that_denies_everything_is_not_believed_while_something_is_known() {
    let zone = Zone::new("c.example A 192.0.2.1");
    let mut rig = Rig::new(&[Transport::Udp]);
    rig.wish(Wish::new("c.example", Transport::Udp));
    rig.answer(Some(&zone), 60);
    rig.pass(Duration::from_secs(3_600), Some(&Zone::new("")));
    assert_eq!(shown(&rig.located), "UDP 0/0 192.0.2.1:5060");
}

#[test]
fn half_an_answer_does_not_replace_a_whole_one() {
    let zone = "_sip._udp.c.example SRV 0 0 5060 a.example.\n _sip._udp.c.example SRV 1 0 5060 b.example.
        a.example A 192.0.2.1\n b.example A 192.0.2.2";
    let mut rig = Rig::new(&[Transport::Udp]);
    rig.wish(Wish::new("c.example", Transport::Udp));
    rig.answer(Some(&Zone::new(zone)), 60);
    rig.now += Duration::from_secs(60);
    rig.locator.handle_timeout(rig.now);
    let full = Zone::new(zone);
    while let Some(output) = rig.locator.poll_output() {
        if let Output::Ask(question) = output {
            let answer = (question.name != "a.example").then(|| full.answer(&question, 60));
            rig.locator.handle_input(rig.now, Input::Answered { question, answer });
        }
    }
    assert_eq!(shown(&rig.located), "UDP 0/0 192.0.2.1:5060, UDP 0/1 192.0.2.2:5060");
}

#[test]
fn a_next_life_begins_with_what_the_last_one_knew() {
    let wish = Wish::new("c.example", Transport::Udp).unwrap();
    let address = "192.0.2.1:5060".parse().unwrap();
    let target = Target { rank: 0, priority: 0, weight: 0, transport: Transport::Udp, addresses: vec![address] };
    let restored = |age, wish: &Wish| {
        let mut rig = Rig::new(&[Transport::Udp]);
        rig.now += STALE_MAX * 2;
        rig.wish(Wish::new("c.example", Transport::Udp));
        let (trunk, targets) = ("t".to_string(), vec![target.clone()]);
        rig.locator.handle_input(rig.now, Input::Restore { trunk, wish: wish.clone(), targets, age });
        rig.answer(None, 60);
        rig
    };
    let mut rig = restored(STALE_MAX - Duration::from_secs(60), &wish);
    assert_eq!(shown(&rig.located), "UDP 0/0 192.0.2.1:5060");
    rig.pass(Duration::from_secs(61), None);
    assert_eq!(shown(&rig.located), "", "it was old already");
    assert_eq!(shown(&restored(STALE_MAX, &wish).located), "");
    let other = Wish::new("d.example", Transport::Udp).unwrap();
    assert_eq!(shown(&restored(Duration::ZERO, &other).located), "", "the trunk has another name");
}

#[test]
fn time_to_live_has_bounds() {
    let zone = Zone::new("c.example A 192.0.2.1");
    let asked_in_an_hour = |ttl_s| {
        let mut rig = Rig::new(&[Transport::Udp]);
        rig.wish(Wish::new("c.example:5060", Transport::Udp));
        rig.answer(Some(&zone), ttl_s);
        let end = rig.now + Duration::from_secs(3_600);
        while let Some(at) = rig.locator.poll_timeout().filter(|at| *at <= end) {
            rig.now = at;
            rig.locator.handle_timeout(at);
            rig.answer(Some(&zone), ttl_s);
        }
        (rig.asked, rig.confirmed)
    };
    let (asked, confirmed) = asked_in_an_hour(0);
    assert!((230..=250).contains(&asked), "every thirty seconds, two kinds of address: {asked}");
    assert_eq!(confirmed, 2, "what stays the same is written down once an hour");
    // The address that there is keeps for a day; the one that there is not, for a quarter of an hour.
    assert_eq!(asked_in_an_hour(u32::MAX).0, 2 + 4);
}

#[test]
fn a_trunk_that_is_known_by_name_no_longer_is_forgotten_at_once() {
    let mut rig = Rig::new(&[Transport::Udp]);
    rig.wish(Wish::new("c.example", Transport::Udp));
    rig.answer(Some(&Zone::new("c.example A 192.0.2.1")), 60);
    rig.wish(None);
    rig.answer(None, 60);
    assert_eq!(shown(&rig.located), "");
    assert_eq!(rig.locator.poll_timeout(), None);
}

#[test]
fn zones_without_end_are_read_to_their_limits() {
    let mut zone = String::new();
    for n in 0..40 {
        zone += &format!("_sip._udp.c.example SRV {n} 0 5060 a{n}.example.\n");
        for m in 0..40 {
            zone += &format!("a{n}.example A 192.0.{n}.{m}\n");
        }
    }
    let mut rig = Rig::new(&[Transport::Udp]);
    rig.wish(Wish::new("c.example", Transport::Udp));
    rig.answer(Some(&Zone::new(&zone)), 60);
    assert_eq!(rig.located.len(), RECORDS_MAX);
    assert!(rig.located.iter().all(|target| target.addresses.len() <= RECORDS_MAX));
    let many = (0..100).filter_map(|n| Some((format!("t{n}"), Wish::new(&format!("{n}.example"), Transport::Udp)?)));
    rig.locator.handle_input(rig.now, Input::Configure(many.collect()));
    let outputs = std::iter::from_fn(|| rig.locator.poll_output());
    let rules = outputs.filter(|output| matches!(output, Output::Ask(Question { kind: Kind::Naptr, .. })));
    assert_eq!(rules.count(), NAMES_MAX);
}
