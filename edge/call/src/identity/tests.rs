//! A site with the public numbers 4001 and +861055550100, and a phone 201 with a number of its own.

use model::config::{Phone, SipTransport, Site, TrunkKind};
use model::dialling::{Dialling, Spelling};
use model::{Extension, FlowId, SiteId, TrunkId};

use super::*;
use crate::leg::Party;

#[test]
fn a_number_that_is_not_on_the_list_never_leaves() {
    let site = site();
    let table: [(Rules, Option<&str>, &str, &str); 9] = [
        // Rules, the phone, what was asked for, what is shown.
        (Rules::default(), Some("201"), "4001", "01055550201"),
        (Rules::default(), Some("202"), "4001", "4001"),
        (Rules::default(), Some("202"), "+4930999999", "+861055550100"),
        (Rules { show: Show::Main, ..Rules::default() }, Some("201"), "4001", "+861055550100"),
        (Rules { show: Show::Main, main: Some("4001"), ..Rules::default() }, Some("201"), "", "4001"),
        (Rules { allowed: &["4001"], ..Rules::default() }, Some("201"), "+4930999999", "4001"),
        // The same line in another spelling is on the list, and one that is ours but not on it is not.
        (Rules { allowed: &["+861055550201"], ..Rules::default() }, Some("201"), "4001", "01055550201"),
        (Rules { allowed: &["4001"], main: Some("+861055550100"), ..Rules::default() }, None, "201", "4001"),
        (Rules { allowed: &["5555"], ..Rules::default() }, None, "anonymous", "5555"),
    ];
    for (rules, phone, wish, expected) in table {
        let (caller, _) = shown(&site, &trunk(&rules), &dial(phone, wish), &Arrived::default(), false);
        assert_eq!(caller.number, expected, "{rules:?} {phone:?} {wish}");
    }
}

#[test]
fn a_site_that_knows_no_number_shows_what_was_asked_for() {
    let mut site = site();
    site.numbers.clear();
    site.phones.clear();
    let (caller, _) = shown(&site, &trunk(&Rules::default()), &dial(Some("201"), "201"), &Arrived::default(), false);
    assert_eq!(caller.number, "201");
}

#[test]
fn the_number_is_spelled_as_the_trunk_wants_it() {
    let trunk = Trunk { spelling: Spelling::Plus, ..trunk(&Rules::default()) };
    let (caller, _) = shown(&site(), &trunk, &dial(Some("201"), "4001"), &Arrived::default(), false);
    assert_eq!(caller.number, "+861055550201");
}

#[test]
fn who_asks_is_hidden_where_that_may_be_and_never_in_an_emergency() {
    let hidden = |may: bool, asks: bool, emergency: bool| {
        let arrived = Arrived { withheld: asks, ..Arrived::default() };
        let trunk = trunk(&Rules { seen: !may, ..Rules::default() });
        shown(&site(), &trunk, &dial(Some("201"), "4001"), &arrived, emergency).1.withheld
    };
    assert!(hidden(true, true, false));
    for (may, asks, emergency) in [(true, false, false), (false, true, false), (true, true, true)] {
        assert!(!hidden(may, asks, emergency), "{may} {asks} {emergency}");
    }
}

#[test]
fn a_call_that_is_sent_on_says_which_number_was_called() {
    let arrived = Arrived { called: Some("+861055550100".into()), withheld: false };
    let said = |forwarded| {
        let mut trunk = trunk(&Rules::default());
        trunk.carrier.identity.forwarded = forwarded;
        let (_, shown) = shown(&site(), &trunk, &dial(None, "4001"), &arrived, false);
        (shown.diverted, shown.history)
    };
    assert_eq!(said(Forwarded::Nothing), (None, false));
    assert_eq!(said(Forwarded::Diversion), (Some("+861055550100".into()), false));
    assert_eq!(said(Forwarded::HistoryInfo), (Some("+861055550100".into()), true));
}

#[test]
fn a_phone_s_forward_is_said_with_its_number_its_reason_and_how_often() {
    let mut trunk = trunk(&Rules::default());
    trunk.carrier.identity.forwarded = Forwarded::Diversion;
    let by = |phone: &str| leg::Forwarded { by: Extension::new(phone).unwrap(), why: DivertedFor::Busy, hops: 2 };
    let dial = Dial { forwarded: Some(by("201")), ..dial(None, "4001") };
    let (_, said) = shown(&site(), &trunk, &dial, &Arrived::default(), false);
    assert!(said.diverted.is_some(), "the phone's number, or the house's");
    assert_eq!((said.diverted_for, said.diverted_hops), (endpoint::DivertedFor::Busy, 2));
    trunk.carrier.identity.forwarded = Forwarded::Nothing;
    let (_, said) = shown(&site(), &trunk, &dial, &Arrived::default(), false);
    assert_eq!(said.diverted, None);
}

#[test]
fn early_media_needs_leave_of_a_trusted_trunk_where_the_rule_says_so() {
    let table = [
        (Early::Always, false, false, true),
        (Early::Authorised, true, true, true),
        (Early::Authorised, true, false, false),
        (Early::Authorised, false, true, false),
        (Early::Never, true, true, false),
    ];
    for (early, trusted, authorised, passes) in table {
        let mut trunk = trunk(&Rules::default());
        (trunk.carrier.identity.early, trunk.carrier.identity.trusted) = (early, trusted);
        assert_eq!(passes_early(&trunk, authorised), passes, "{early:?} {trusted} {authorised}");
    }
}

#[derive(Debug, Default)]
struct Rules {
    show: Show,
    main: Option<&'static str>,
    allowed: &'static [&'static str],
    seen: bool,
}

fn number(text: &str) -> Number {
    Number::new(text).unwrap()
}

fn dial(phone: Option<&str>, wish: &str) -> Dial {
    Dial {
        party: Party::Trunk { trunk: TrunkId::new("carrier").unwrap(), user: "13800000000".into() },
        caller: Caller { number: wish.into(), name: None },
        ringback_to: None,
        meets: None,
        on_behalf_of: phone.map(|phone| Extension::new(phone).unwrap()),
        forwarded: None,
    }
}

fn trunk(rules: &Rules) -> Trunk {
    let mut trunk = Trunk {
        label: "Carrier".into(),
        kind: TrunkKind::Address { peer: "192.0.2.9:5060".parse().unwrap(), transport: SipTransport::Udp },
        calls_max: 9,
        behind_nat: false,
        spelling: Default::default(),
        protection: Default::default(),
        carrier: Default::default(),
    };
    let identity = &mut trunk.carrier.identity;
    identity.show = rules.show;
    identity.main = rules.main.map(number);
    identity.allowed = rules.allowed.iter().map(|text| number(text)).collect();
    identity.may_withhold = !rules.seen;
    trunk
}

fn site() -> Config {
    let main = FlowId::new("main").unwrap();
    let own = Phone { number: Some(number("01055550201")), ..Phone::default() };
    let extension = |text: &str| Extension::new(text).unwrap();
    Config {
        site: Site {
            id: SiteId::new("branch").unwrap(),
            label: "Branch".into(),
            time_zone: "UTC".into(),
            emergency: Default::default(),
            outward: None,
            dialling: Dialling { country: "86".into(), ..Dialling::default() },
            closed: false,
            pauses: Default::default(),
            dispositions: Default::default(),
            recording: Default::default(),
        },
        queues: Default::default(),
        agents: Default::default(),
        phones: [(extension("201"), own), (extension("202"), Phone::default())].into(),
        trunks: Default::default(),
        numbers: [(number("+861055550100"), main.clone()), (number("4001"), main)].into(),
        flows: Default::default(),
        hours: Default::default(),
        places: Default::default(),
    }
}
