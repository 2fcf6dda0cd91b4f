//! What became of edits that two sides made apart.

use std::collections::BTreeSet;

use config::{Author, Documents, Histories, History, Kept, Peer, Scalar, effective, report};
use model::{
    Millis,
    change::{Change, Doc},
    history::{Outcome, Report, Rule, Side, Value},
};
use proptest::prelude::*;

use crate::{
    convergence::change,
    support::{AT, exchange, id, seeded},
};

const MINUTE: i64 = 60_000;

/// The cloud's own store beside its documents: what it has, in the order in which it came, with the time of that.
struct Cloud {
    documents: Documents,
    kept: Vec<(Doc, Kept)>,
    branch: Documents,
}

impl Cloud {
    fn new() -> Cloud {
        let mut cloud = Cloud { documents: seeded(1), kept: Vec::new(), branch: seeded(2) };
        let planned = cloud.documents.site.changes();
        cloud.keep(Doc::Site, planned, Side::Centre, AT);
        cloud
    }

    fn keep(&mut self, doc: Doc, changes: Vec<Vec<u8>>, side: Side, at: Millis) {
        for bytes in changes {
            let seq = self.kept.len() as u64 + 1;
            self.kept.push((doc, Kept { seq, bytes, side: Some(side), author: None, taken: Some(at) }));
        }
    }

    fn centre(&mut self, doc: Doc, change: &Change, minute: i64) -> bool {
        let at = Millis(AT.0 + minute * MINUTE);
        let Ok(Some(bytes)) = self.documents.edit(doc, change, Author::Centre, at) else { return false };
        self.keep(doc, vec![bytes], Side::Centre, at);
        true
    }

    fn branch(&mut self, change: &Change, minute: i64) -> bool {
        let at = Millis(AT.0 + minute * MINUTE);
        matches!(self.branch.edit(Doc::Local, change, Author::Branch, at), Ok(Some(_)))
    }

    /// They are linked, and everything goes both ways.
    fn meet(&mut self, minute: i64) {
        let before: BTreeSet<Vec<u8>> = self.documents.local.changes().into_iter().collect();
        let (cloud, branch) = (&mut self.documents, &mut self.branch);
        for doc in [Doc::Site, Doc::Local] {
            let (here, there) = (cloud.document_mut(doc), branch.document_mut(doc));
            let (mut a, mut b) = (here.sync_begin(Peer::Box), there.sync_begin(Peer::Cloud));
            exchange(here, &mut a, there, &mut b);
        }
        let fresh = self.documents.local.changes().into_iter().filter(|bytes| !before.contains(bytes)).collect();
        self.keep(Doc::Local, fresh, Side::Branch, Millis(AT.0 + minute * MINUTE));
    }

    fn report(&self) -> Report {
        let of = |doc| {
            let kept = self.kept.iter().filter(|(of, _)| *of == doc).map(|(_, kept)| kept.clone());
            History::read(doc, kept)
        };
        report(&Histories { org: of(Doc::Org), site: of(Doc::Site), local: of(Doc::Local) })
    }
}

fn ring(seconds: u32) -> Change {
    Change::QueueRing { queue: id("sales"), seconds }
}

fn only(outcomes: &[Outcome]) -> &Outcome {
    assert_eq!(outcomes.len(), 1, "{outcomes:#?}");
    &outcomes[0]
}

fn values(outcome: &Outcome) -> Vec<(Side, Option<Value>)> {
    outcome.said.iter().map(|said| (said.by.side, said.value.clone())).collect()
}

fn int(n: i64) -> Option<Value> {
    Some(Value::Int(n))
}

#[test]
fn the_same_field_written_by_both_waits_until_somebody_decides() {
    let mut cloud = Cloud::new();
    cloud.branch(&ring(41), 10);
    cloud.centre(Doc::Local, &ring(42), 20);
    cloud.meet(30);
    let told = cloud.report();
    let waits = only(&told.waiting);
    assert_eq!((waits.path.as_str(), waits.rule, waits.waits), ("queues/sales/ring_s", Rule::Ask, true));
    assert_eq!(values(waits), [(Side::Centre, int(42)), (Side::Branch, int(41))]);
    let runs = effective(&cloud.documents).config.queues[&id("sales")].ring_s;
    assert_eq!(waits.kept, int(runs.into()));
    assert_eq!(
        (told.meetings.len(), told.meetings[0].from, told.meetings[0].until),
        (1, Millis(AT.0 + 10 * MINUTE), Millis(AT.0 + 30 * MINUTE))
    );
    assert_eq!((told.meetings[0].branch.len(), told.meetings[0].centre.len()), (1, 1));

    // The value that runs already is a decision all the same.
    let keep = vec![("queues/sales/ring_s".to_owned(), Some(Scalar::Int(runs.into())))];
    let changes = cloud.documents.restore(Doc::Local, &keep, Author::Centre, Millis(AT.0 + 40 * MINUTE)).unwrap();
    cloud.keep(Doc::Local, changes, Side::Centre, Millis(AT.0 + 40 * MINUTE));
    let told = cloud.report();
    assert!(told.waiting.is_empty());
    let decided = only(&told.meetings[0].outcomes);
    assert_eq!(decided.decided.as_ref().map(|by| by.written), Some(Millis(AT.0 + 40 * MINUTE)));
    assert_eq!(decided.kept, int(runs.into()));
    assert!(effective(&cloud.documents).findings.is_empty());
}

#[test]
fn the_last_word_of_each_side_met_and_edits_of_other_fields_did_not() {
    let mut cloud = Cloud::new();
    for n in 0..4 {
        cloud.branch(&ring(40 + n), 10);
        cloud.centre(Doc::Local, &ring(50 + n), 10);
    }
    cloud.centre(Doc::Local, &Change::QueueWrapUp { queue: id("sales"), seconds: 9 }, 11);
    cloud.meet(30);
    let told = cloud.report();
    assert_eq!(values(only(&told.waiting)), [(Side::Centre, int(53)), (Side::Branch, int(43))]);
    assert_eq!((told.meetings[0].branch.len(), told.meetings[0].centre.len()), (4, 5));
}

#[test]
fn both_who_wrote_the_same_agree() {
    let mut cloud = Cloud::new();
    cloud.branch(&ring(41), 10);
    cloud.centre(Doc::Local, &ring(41), 20);
    cloud.meet(30);
    let told = cloud.report();
    assert!(told.waiting.is_empty());
    assert!(told.meetings[0].outcomes.is_empty());
}

#[test]
fn the_branch_s_own_value_stands_over_a_plan_that_was_made_meanwhile() {
    let mut cloud = Cloud::new();
    cloud.branch(&ring(41), 10);
    cloud.centre(Doc::Site, &ring(42), 20);
    cloud.meet(30);
    let told = cloud.report();
    assert!(told.waiting.is_empty());
    let outcome = only(&told.meetings[0].outcomes);
    assert_eq!((outcome.rule, outcome.kept.clone()), (Rule::BranchWins, int(41)));
    assert_eq!(values(outcome), [(Side::Centre, int(42)), (Side::Branch, int(41))]);
    assert_eq!(only(&told.differs).path, "queues/sales/ring_s");
}

#[test]
fn the_stricter_label_stands_and_nobody_is_asked() {
    use model::config::Locality::{LocalOnly, MayLeave};
    let mut cloud = Cloud::new();
    let label = |locality| Change::QueueLocality { queue: id("sales"), locality };
    cloud.branch(&label(LocalOnly), 10);
    cloud.centre(Doc::Local, &label(MayLeave), 20);
    cloud.meet(30);
    let told = cloud.report();
    let outcome = only(&told.meetings[0].outcomes);
    assert_eq!((outcome.rule, outcome.waits), (Rule::Strictest, false));
    assert_eq!(outcome.kept, Some(Value::Text("local_only".into())));
}

#[test]
fn an_edit_of_what_the_other_side_removed_is_told() {
    let mut cloud = Cloud::new();
    cloud.branch(&Change::AgentBadge { agent: id("mei"), badge: "M".into() }, 10);
    cloud.centre(Doc::Local, &Change::AgentRemove { agent: id("mei") }, 20);
    cloud.meet(30);
    let told = cloud.report();
    let outcome = only(&told.meetings[0].outcomes);
    assert_eq!((outcome.path.as_str(), outcome.rule), ("agents/mei/badge", Rule::Removed));
}

#[test]
fn what_was_written_stands_over_what_was_taken_back() {
    let mut cloud = Cloud::new();
    cloud.branch(&ring(41), 1);
    cloud.meet(1);
    cloud.branch(&ring(44), 10);
    let back = vec![("queues/sales/ring_s".to_owned(), None)];
    let changes = cloud.documents.restore(Doc::Local, &back, Author::Centre, Millis(AT.0 + 12 * MINUTE)).unwrap();
    cloud.keep(Doc::Local, changes, Side::Centre, Millis(AT.0 + 12 * MINUTE));
    cloud.meet(30);
    let told = cloud.report();
    assert!(told.waiting.is_empty());
    let outcome = only(&told.meetings[0].outcomes);
    assert_eq!((outcome.rule, outcome.kept.clone()), (Rule::WrittenStands, int(44)));
}

#[test]
fn who_is_linked_is_never_apart_and_how_a_replica_begins_is_no_meeting() {
    let mut cloud = Cloud::new();
    for n in 0..5 {
        cloud.branch(&ring(40 + n), i64::from(n));
        cloud.meet(i64::from(n));
        cloud.centre(Doc::Local, &ring(60 + n), i64::from(n));
        cloud.meet(i64::from(n));
    }
    assert_eq!(cloud.report().meetings, []);
}

#[test]
fn what_only_the_centre_may_say_is_told_as_passed_over() {
    let mut cloud = Cloud::new();
    // A box that writes against the rules.
    let path = "trunks/carrier/calls_max";
    let changes = crate::support::forged(&mut cloud.branch.local, path, 900);
    assert_eq!(changes, 1);
    cloud.meet(1);
    let told = cloud.report();
    let outcome = only(&told.differs);
    assert_eq!((outcome.path.as_str(), outcome.rule, outcome.kept.clone()), (path, Rule::CentreWins, int(30)));
}

#[derive(Debug, Clone)]
enum Act {
    Branch(Change),
    Local(Change),
    Site(Change),
    Meet,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => change().prop_map(Act::Branch),
        3 => change().prop_map(Act::Local),
        1 => change().prop_map(Act::Site),
        2 => Just(Act::Meet),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever is written while apart either stands, or was replaced by somebody who saw it, or has a line.
    #[test]
    fn no_edit_is_lost_without_a_line(acts in prop::collection::vec(act(), 1..60)) {
        let mut cloud = Cloud::new();
        for (minute, act) in (0..).step_by(5).zip(acts) {
            match act {
                Act::Branch(change) => drop(cloud.branch(&change, minute)),
                Act::Local(change) => drop(cloud.centre(Doc::Local, &change, minute)),
                Act::Site(change) => drop(cloud.centre(Doc::Site, &change, minute)),
                Act::Meet => cloud.meet(minute),
            }
        }
        cloud.meet(10_000);
        let told = cloud.report();
        let lines: Vec<&Outcome> = told.meetings.iter().flat_map(|meeting| &meeting.outcomes).collect();
        let local = cloud.kept.iter().filter(|(doc, _)| *doc == Doc::Local).map(|(_, kept)| kept.clone());
        let history = History::read(Doc::Local, local);
        // What a reader of the bare documents finds, without this report: the library's own word on conflicts.
        let concurrent: BTreeSet<String> = effective(&cloud.documents)
            .findings
            .into_iter()
            .filter(|finding| matches!(finding.problem, model::change::Problem::Concurrent { .. }))
            .map(|finding| finding.path)
            .collect();
        for path in &concurrent {
            prop_assert!(lines.iter().any(|line| &line.path == path), "{path} met and has no line");
        }
        for waits in &told.waiting {
            prop_assert!(concurrent.contains(&waits.path), "{} waits and nothing met", waits.path);
        }
        // Every last word of each side, by brute force: who wrote on a path, and did the other know?
        for entry in history.entries() {
            for field in &entry.fields {
                let heard = replaced_by_who_knew(&cloud, &entry, &field.path);
                let runs = field.stands || heard;
                let told = lines.iter().any(|line| {
                    line.path == field.path && line.said.iter().any(|said| said.by.seq == entry.by.seq)
                });
                // Both wrote the same. Lines of earlier meetings on the path know nothing of it; what a later one tells of
                // the other's word, that the plan says something else or has removed the thing, is told of this one too.
                let before = |line: &Outcome| line.said.iter().all(|said| said.by.seq < entry.by.seq);
                let of_the_other = |line: &Outcome| line.said.iter().any(|said| said.value == field.after);
                let mut on_path = lines.iter().filter(|line| line.path == field.path);
                let agreed = !runs && on_path.all(|line| before(line) || of_the_other(line));
                prop_assert!(runs || told || agreed && same_value_stands(&history, &field.path, &field.after),
                    "{:?} of {} is lost", field.after, field.path);
            }
        }
        prop_assert_eq!(
            history.standing().filter(|(_, scalar)| **scalar != Scalar::Null).count(),
            crate::support::standing(&cloud.documents.local),
            "the history and the document name the same winners"
        );
    }
}

#[test]
fn an_agent_whom_both_take_in_again_alike_has_no_line() {
    let mut cloud = Cloud::new();
    let add = tao_in;
    assert!(cloud.branch(&tao_out(), 0));
    cloud.meet(5);
    assert!(cloud.branch(&add(), 10));
    assert!(cloud.centre(Doc::Local, &add(), 10));
    cloud.meet(15);
    let told = cloud.report();
    assert!(told.waiting.is_empty());
    let path = "agents/tao/is";
    let newest = told.meetings.first().map(|meeting| meeting.outcomes.iter().any(|line| line.path == path));
    assert_eq!(newest, Some(false), "the newest meeting has nothing to tell");
}

/// Away and in again at once; the centre decides for "in", and the branch, which has not heard of it, takes away.
#[test]
fn a_decision_that_the_other_side_had_not_heard_of_has_its_line() {
    let mut cloud = Cloud::new();
    let (add, remove) = (tao_in, tao_out);
    assert!(cloud.centre(Doc::Local, &remove(), 0));
    assert!(cloud.branch(&add(), 5));
    cloud.meet(10);
    assert!(cloud.centre(Doc::Local, &add(), 15));
    assert!(cloud.branch(&remove(), 20));
    cloud.meet(25);
    let told = cloud.report();
    let newest = told.meetings.first().expect("they met");
    let lines: Vec<_> = newest.outcomes.iter().filter(|line| line.path == "agents/tao/is").collect();
    let [line] = lines.as_slice() else { panic!("{newest:#?}") };
    let said: Vec<_> = line.said.iter().map(|said| said.value.clone()).collect();
    assert!(said.contains(&Some(Value::Flag(true))) && said.contains(&Some(Value::Flag(false))), "{line:#?}");
    assert_eq!((line.kept.clone(), line.waits), (Some(Value::Flag(false)), false));
}

fn tao_in() -> Change {
    let (skills, queues) = Default::default();
    let value = model::config::Agent { badge: "Mei".into(), phone: None, skills, queues };
    Change::AgentAdd { agent: "tao".parse().unwrap(), value }
}

fn tao_out() -> Change {
    Change::AgentRemove { agent: "tao".parse().unwrap() }
}

/// Whether some later change on the path has this one among what it builds on.
fn replaced_by_who_knew(cloud: &Cloud, entry: &model::history::Entry, path: &str) -> bool {
    let bytes = |seq: u64| cloud.kept.iter().find(|(_, kept)| kept.seq == seq).map(|(_, kept)| kept.bytes.clone());
    let Some(own) = bytes(entry.by.seq) else { return false };
    let all: Vec<Kept> =
        cloud.kept.iter().filter(|(doc, _)| *doc == Doc::Local).map(|(_, kept)| kept.clone()).collect();
    let later = History::read(Doc::Local, all);
    later.entries().any(|other| {
        other.by.seq > entry.by.seq
            && other.fields.iter().any(|field| field.path == path)
            && bytes(other.by.seq).is_some_and(|other| crate::support::descends(&cloud.documents.local, &other, &own))
    })
}

fn same_value_stands(history: &History, path: &str, value: &Option<Value>) -> bool {
    history.standing().any(|(at, scalar)| at == path && Some(Value::from(scalar)) == *value) || value.is_none()
}

#[test]
fn what_both_took_in_and_away_again_has_no_line() {
    let mut cloud = Cloud::new();
    let phone: model::Extension = "203".parse().unwrap();
    let value = model::config::Phone { label: "Desk".into(), ..Default::default() };
    let add = Change::PhoneAdd { phone: phone.clone(), value };
    let remove = Change::PhoneRemove { phone };
    for change in [&add, &remove] {
        assert!(cloud.centre(Doc::Local, change, 0));
        assert!(cloud.branch(change, 5));
    }
    cloud.meet(10);
    let told = cloud.report();
    assert!(told.meetings.iter().all(|meeting| meeting.outcomes.is_empty()), "nobody's word was lost");
}
