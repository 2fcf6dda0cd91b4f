//! A site with a group of four trunks, an outward trunk and a backup.

use std::collections::BTreeMap;

use model::config::{SipTransport, Site, Trunk, TrunkKind};
use model::dialling::Dialling;
use model::{GroupId, SiteId};

use super::*;

#[test]
fn calls_are_shared_out_by_weight_and_who_weighs_nothing_comes_last() {
    let config = config(&[("a", 0, 30), ("b", 0, 10), ("c", 1, 10), ("d", 0, 0)]);
    let mut first: BTreeMap<String, u32> = BTreeMap::new();
    for draw in 0..4_000 {
        let order = names(ways(&config, draw, |_| true, |_| Standing::Ready));
        assert_eq!(order[2..].join(" "), "c d main backup", "draw {draw}");
        *first.entry(order[0].clone()).or_default() += 1;
    }
    assert_eq!(first.keys().collect::<Vec<_>>(), ["a", "b"]);
    // Three of four calls, within three standard deviations.
    assert!((2_918..=3_082).contains(&first["a"]), "{first:?}");
}

#[test]
fn the_same_draw_gives_the_same_order() {
    let config = config(&[("a", 0, 1), ("b", 0, 1), ("c", 0, 1), ("d", 0, 1)]);
    let order = |draw| names(ways(&config, draw, |_| true, |_| Standing::Ready));
    assert_eq!(order(7), order(7));
    assert!((0..20).any(|draw| order(draw) != order(0)), "draws differ");
}

#[test]
fn what_cannot_take_a_call_is_tried_when_nothing_else_is_left() {
    let config = config(&[("a", 0, 10), ("b", 1, 10), ("c", 2, 10), ("d", 3, 10)]);
    let standing = |trunk: &TrunkId| match trunk.as_str() {
        "a" => Standing::Down,
        "c" => Standing::Full,
        _ => Standing::Ready,
    };
    assert_eq!(names(ways(&config, 1, |_| true, standing)).join(" "), "b d main backup c a");
}

#[test]
fn outside_its_hours_neither_a_group_nor_a_trunk_is_taken() {
    let mut config = config(&[("a", 0, 10), ("b", 1, 10)]);
    let night: HoursId = "night".parse().unwrap();
    let closed = |hours: &HoursId| hours.as_str() != "night";
    config.trunks.get_mut(&"a".parse::<TrunkId>().unwrap()).unwrap().carrier.hours = Some(night.clone());
    assert_eq!(names(ways(&config, 1, closed, |_| Standing::Ready)).join(" "), "b main backup");
    assert_eq!(names(ways(&config, 1, |_| true, |_| Standing::Ready)).join(" "), "a b main backup");
    config.site.dialling.groups.values_mut().for_each(|group| group.hours = Some(night.clone()));
    assert_eq!(names(ways(&config, 1, closed, |_| Standing::Ready)).join(" "), "main backup");
}

#[test]
fn a_group_without_members_or_weights_does_no_harm() {
    assert_eq!(names(ways(&config(&[]), 1, |_| true, |_| Standing::Ready)).join(" "), "main backup");
    let idle = config(&[("a", 0, 0), ("b", 0, 0), ("gone", 0, 10)]);
    assert_eq!(names(ways(&idle, 1, |_| true, |_| Standing::Ready)).join(" "), "a b main backup");
}

fn names(trunks: Vec<TrunkId>) -> Vec<String> {
    trunks.iter().map(TrunkId::to_string).collect()
}

fn config(members: &[(&str, u8, u8)]) -> Config {
    let id = |name: &str| name.parse::<TrunkId>().unwrap();
    let trunk = |name: &str| Trunk {
        label: name.into(),
        kind: TrunkKind::Address { peer: "192.0.2.9:5060".parse().unwrap(), transport: SipTransport::Udp },
        calls_max: 9,
        behind_nat: false,
        spelling: Default::default(),
        protection: Default::default(),
        carrier: Default::default(),
    };
    let members =
        members.iter().map(|(name, order, weight)| Member { trunk: id(name), order: *order, weight: *weight });
    let group = TrunkGroup { label: "Out".into(), members: members.collect(), hours: None };
    let out: GroupId = "out".parse().unwrap();
    let dialling = Dialling {
        backup: vec![id("backup")],
        groups: [(out.clone(), group)].into(),
        outward: Some(out),
        ..Dialling::default()
    };
    Config {
        site: Site {
            id: SiteId::new("branch").unwrap(),
            label: "Branch".into(),
            time_zone: "UTC".into(),
            emergency: Default::default(),
            outward: Some(id("main")),
            dialling,
            closed: false,
            pauses: Default::default(),
            dispositions: Default::default(),
            recording: Default::default(),
        },
        queues: Default::default(),
        agents: Default::default(),
        phones: Default::default(),
        trunks: ["a", "b", "c", "d", "main", "backup"].map(|name| (id(name), trunk(name))).into(),
        numbers: Default::default(),
        flows: Default::default(),
        hours: Default::default(),
        places: Default::default(),
    }
}
