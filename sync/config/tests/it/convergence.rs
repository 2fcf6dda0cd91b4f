//! Any order, any partition: the same edits, the same heads, the same configuration.

use config::{Author, Documents, Peer, effective};
use model::{
    change::{Change, Doc},
    config::{Locality, Phone, Span},
};
use proptest::prelude::*;

use crate::support::{AT, agent, exchange, id, seeded};

fn queue_name() -> impl Strategy<Value = model::QueueId> {
    prop::sample::select(vec!["sales", "support"]).prop_map(id)
}

fn agent_name() -> impl Strategy<Value = model::AgentId> {
    prop::sample::select(vec!["mei", "tao", "lin"]).prop_map(id)
}

fn phone_name() -> impl Strategy<Value = model::Extension> {
    prop::sample::select(vec!["201", "202", "203"]).prop_map(id)
}

pub fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (queue_name(), 5_u32..=300).prop_map(|(queue, seconds)| Change::QueueRing { queue, seconds }),
        (queue_name(), 0_u32..=90).prop_map(|(queue, seconds)| Change::QueueWrapUp { queue, seconds }),
        (queue_name(), any::<bool>())
            .prop_map(|(queue, some)| Change::QueueHours { queue, hours: some.then(|| id("office")) }),
        (queue_name(), any::<bool>()).prop_map(|(queue, strict)| Change::QueueLocality {
            queue,
            locality: if strict { Locality::LocalOnly } else { Locality::MayLeave },
        }),
        (agent_name(), phone_name()).prop_map(|(agent, phone)| Change::AgentPhone { agent, phone: Some(phone) }),
        (agent_name(), 1_u8..=10).prop_map(|(agent, level)| Change::AgentSkill {
            agent,
            skill: id("english"),
            level: Some(level),
        }),
        (agent_name(), queue_name(), any::<bool>()).prop_map(|(agent, queue, member)| Change::AgentQueue {
            agent,
            queue,
            member
        }),
        agent_name().prop_map(|agent_id| Change::AgentAdd { agent: agent_id, value: agent("201", "repairs") }),
        agent_name().prop_map(|agent| Change::AgentRemove { agent }),
        phone_name()
            .prop_map(|phone| Change::PhoneAdd { phone, value: Phone { label: "Desk".into(), ..Phone::default() } }),
        phone_name().prop_map(|phone| Change::PhoneRemove { phone }),
        (0_u16..1_000).prop_map(|from_min| Change::HoursWeek {
            hours: id("office"),
            week: vec![Span { day: 2, from_min, to_min: from_min + 60 }],
        }),
    ]
}

/// One of three replicas edits, or two of them meet.
#[derive(Debug, Clone)]
enum Act {
    Edit(usize, Change),
    Meet(usize, usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..3_usize, change()).prop_map(|(who, change)| Act::Edit(who, change)),
        1 => (0..3_usize, 1..3_usize).prop_map(|(a, step)| Act::Meet(a, (a + step) % 3)),
    ]
}

fn meet(replicas: &mut [Documents], a: usize, b: usize) {
    let (low, high) = (a.min(b), a.max(b));
    let (left, right) = replicas.split_at_mut(high);
    let (one, other) = (&mut left[low].local, &mut right[0].local);
    let (mut of_one, mut of_other) = (one.sync_begin(Peer::Cloud), other.sync_begin(Peer::Box));
    exchange(one, &mut of_one, other, &mut of_other);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn three_replicas_agree_after_any_edits_and_meetings(
        acts in prop::collection::vec(act(), 1..40),
        order in any::<prop::sample::Index>(),
        shuffle in any::<u64>(),
    ) {
        let mut replicas = vec![seeded(1), seeded(2), seeded(3)];
        let mut written = Vec::new();
        for act in acts {
            match act {
                Act::Edit(who, change) => {
                    let author = if who == 0 { Author::Centre } else { Author::Branch };
                    if let Ok(Some(bytes)) = replicas[who].edit(Doc::Local, &change, author, AT) {
                        written.push(bytes);
                    }
                }
                Act::Meet(a, b) => meet(&mut replicas, a, b),
            }
        }
        // A fourth hears every change singly, in an order of its own.
        let mut listener = seeded(4);
        let mut state = shuffle | 1;
        for n in (1..written.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            written.swap(n, usize::try_from(state >> 33).unwrap() % (n + 1));
        }
        for bytes in &written {
            listener.local.apply(bytes).unwrap();
        }
        let start = order.index(3);
        for (a, b) in [(0, 1), (1, 2), (0, 2), (0, 1), (1, 2)] {
            meet(&mut replicas, (a + start) % 3, (b + start) % 3);
        }
        let expected = effective(&listener);
        for replica in &replicas {
            prop_assert_eq!(replica.local.heads(), listener.local.heads());
            prop_assert_eq!(&effective(replica), &expected);
        }
        prop_assert!(!expected.fatal());
        for agent in expected.config.agents.values() {
            prop_assert!(agent.phone.as_ref().is_none_or(|phone| expected.config.phones.contains_key(phone)));
        }
    }
}
