//! Trunk groups and how carriers are treated: bounds at the edit, findings after a merge, and the gateways that are
//! described in `deploy/site/gateways`.

use std::path::Path;

use config::{Author, Error, effective};
use model::{
    carrier::{Carrier, Health, Limits},
    change::{Change, Doc, Problem, Severity},
    config::Trunk,
    dialling::{Dialling, Member, TrunkGroup},
};

use crate::support::{AT, empty, finding, id, local, problem, sample, seeded, site};

fn put(carrier: Carrier) -> Change {
    let trunk = sample().trunks.remove(&id("carrier")).unwrap();
    Change::TrunkPut { trunk: id("carrier"), value: Trunk { carrier: Box::new(carrier), ..trunk } }
}

fn plan(members: &[(&str, u8)]) -> Change {
    let members = members.iter().map(|(trunk, weight)| Member { trunk: id(trunk), order: 0, weight: *weight });
    let group = TrunkGroup { label: "Out".into(), members: members.collect(), hours: Some(id("office")) };
    let dialling = Dialling { groups: [(id("out"), group)].into(), outward: Some(id("out")), ..Dialling::default() };
    Change::SiteDialling { dialling: Box::new(dialling) }
}

#[test]
fn a_carrier_s_rules_and_a_group_come_back_as_they_were_written() {
    let mut documents = seeded(1);
    let mut carrier = Carrier { hours: Some(id("office")), codecs: vec!["PCMA".into()], ..Carrier::default() };
    carrier.identity.trusted = true;
    carrier.identity.main = Some(id("+8657112345678"));
    site(&mut documents, put(carrier.clone()));
    site(&mut documents, plan(&[("carrier", 10), ("gateway", 0)]));
    let resolved = effective(&documents);
    assert_eq!(*resolved.config.trunks[&id("carrier")].carrier, carrier);
    assert_eq!(resolved.config.site.dialling.groups[&id("out")].members.len(), 2);
    assert_eq!(resolved.findings, []);
}

#[test]
fn values_out_of_bounds_are_refused_at_the_edit() {
    let mut documents = seeded(1);
    let health =
        |every_s, down_after| Carrier { health: Health { every_s, down_after, up_after: 1 }, ..Carrier::default() };
    let limits = |out_max| Carrier { limits: Limits { in_max: None, out_max }, ..Carrier::default() };
    let mut strip = Carrier::default();
    strip.numbers.called.strip = 11;
    let mut before = Carrier::default();
    before.numbers.caller.before = "+49x".into();
    let codecs = Carrier { codecs: vec!["PCMA".into(); 9], ..Carrier::default() };
    let bad = [
        health(Some(9), 2),
        health(Some(3_601), 2),
        health(None, 0),
        health(None, 11),
        limits(Some(1_001)),
        strip,
        before,
        codecs,
    ];
    for carrier in bad {
        let refused = documents.edit(Doc::Site, &put(carrier.clone()), Author::Centre, AT);
        assert!(refused.is_err(), "{carrier:?}");
    }
    for carrier in [health(Some(0), 1), health(Some(10), 10), limits(Some(0)), limits(Some(1_000))] {
        assert!(documents.edit(Doc::Site, &put(carrier), Author::Centre, AT).is_ok());
    }
    let many: Vec<(&str, u8)> = vec![("carrier", 1); 17];
    assert!(matches!(documents.edit(Doc::Site, &plan(&many), Author::Centre, AT), Err(Error::TooMany { .. })));
    assert!(documents.edit(Doc::Site, &plan(&[("carrier", 101)]), Author::Centre, AT).is_err());
}

#[test]
fn what_a_group_or_a_carrier_points_at_in_vain_is_left_out_and_reported() {
    let mut documents = seeded(1);
    site(&mut documents, put(Carrier { hours: Some(id("office")), ..Carrier::default() }));
    site(&mut documents, plan(&[("carrier", 10), ("gateway", 0)]));
    local(&mut documents, Change::HoursRemove { hours: id("office") });
    site(&mut documents, Change::TrunkRemove { trunk: id("gateway") });
    let resolved = effective(&documents);
    assert_eq!(problem(&documents, "trunks/carrier/carrier/hours"), Some(Problem::Dangling { to: "office".into() }));
    assert_eq!(resolved.config.trunks[&id("carrier")].carrier.hours, None);
    let group = &resolved.config.site.dialling.groups[&id("out")];
    assert_eq!((group.members.len(), &group.hours), (1, &None));
    let of_group: Vec<&Problem> =
        resolved.findings.iter().filter(|f| f.path == "site/dialling/groups/out").map(|f| &f.problem).collect();
    assert_eq!(of_group, [&Problem::Dangling { to: "gateway".into() }, &Problem::Dangling { to: "office".into() }]);
    assert!(!resolved.fatal());
}

#[test]
fn a_group_that_takes_no_call_and_numbers_that_are_not_ours_are_pointed_out() {
    let mut documents = seeded(1);
    site(&mut documents, plan(&[("carrier", 0), ("gateway", 0)]));
    assert_eq!(problem(&documents, "site/dialling/groups/out"), Some(Problem::EmptyGroup));
    site(&mut documents, plan(&[]));
    assert_eq!(problem(&documents, "site/dialling/groups/out"), Some(Problem::EmptyGroup));
    let mut carrier = Carrier { codecs: vec!["pcmu".into(), "G729".into()], ..Carrier::default() };
    carrier.identity.allowed = [id("+8657112345678"), id("13800000000")].into();
    site(&mut documents, put(carrier));
    let not_ours = Problem::NotOurs { number: id("13800000000") };
    assert_eq!(problem(&documents, "trunks/carrier/carrier/identity"), Some(not_ours));
    let unknown = Problem::UnknownCodec { name: "G729".into() };
    assert_eq!(problem(&documents, "trunks/carrier/carrier/codecs"), Some(unknown));
    assert_eq!(effective(&documents).config.trunks[&id("carrier")].carrier.codecs, ["pcmu"]);
}

#[test]
fn where_callers_must_be_seen_a_trunk_that_hides_them_is_pointed_out() {
    let mut documents = seeded(1);
    let china = Dialling { country: "86".into(), ..Dialling::default() };
    site(&mut documents, Change::SiteDialling { dialling: Box::new(china) });
    let at = "trunks/carrier/carrier/identity/may_withhold";
    assert_eq!(problem(&documents, at), Some(Problem::MustBeSeen));
    let mut carrier = Carrier::default();
    carrier.identity.may_withhold = false;
    site(&mut documents, put(carrier));
    assert_eq!(problem(&documents, at), None);
}

#[test]
fn every_gateway_s_trunk_is_taken_and_has_no_finding() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/site/gateways");
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let changes: Vec<Change> =
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut documents = empty(1);
        documents.edit(Doc::Site, &Change::SiteLabel { label: "Branch".into() }, Author::Centre, AT).unwrap();
        for change in &changes {
            documents.edit(Doc::Site, change, Author::Centre, AT).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let resolved = effective(&documents);
        let of_trunks: Vec<_> = resolved
            .findings
            .iter()
            .filter(|f| f.severity != Severity::Repaired && f.path.starts_with("trunks/"))
            .collect();
        assert!(of_trunks.is_empty(), "{name}: {of_trunks:?}");
        assert!(!resolved.config.trunks.is_empty(), "{name}");
        assert!(finding(&resolved, "site/dialling").is_none(), "{name}");
        assert!(folder.join(format!("{name}.md")).exists(), "{name} is described");
        names.push(name);
    }
    names.sort();
    let expected = [
        "asterisk",
        "audiocodes-mediant",
        "audiocodes-mp1xx",
        "cisco-isr",
        "dinstar",
        "grandstream-gxw",
        "grandstream-ht",
    ];
    assert_eq!(names, expected);
}
