//! Random days of two endpoints over a bad network: every call ends exactly once on each side, and when all is quiet
//! nothing is left.

use conformance::net::dialog_of;
use proptest::prelude::*;
use sip::endpoint::{DialogId, Endpoint, Event};

use crate::stage::*;

#[derive(Debug, Clone)]
enum Act {
    Call,
    Ring(usize),
    Accept(usize),
    Reject(usize),
    Reoffer(usize),
    End(usize),
    Wait(u64),
}

fn acts() -> impl Strategy<Value = Vec<(bool, Act)>> {
    let act = prop_oneof![
        2 => Just(Act::Call),
        1 => any::<usize>().prop_map(Act::Ring),
        3 => any::<usize>().prop_map(Act::Accept),
        1 => any::<usize>().prop_map(Act::Reject),
        2 => any::<usize>().prop_map(Act::Reoffer),
        2 => any::<usize>().prop_map(Act::End),
        4 => prop::sample::select(vec![1_u64, 10, 15, 400, 3_000, 33_000]).prop_map(Act::Wait),
    ];
    prop::collection::vec((any::<bool>(), act), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn every_call_ends_once_and_leaves_nothing(acts in acts(), loss_percent in 0..40_u64, salt in any::<u64>()) {
        let (mut net, hub, carrier) = box_and_carrier();
        let mut state = salt | 1;
        net.lose(move |_, _, _, _| {
            // xorshift64: which packets are lost.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % 100 < loss_percent
        });
        let nodes = [hub, carrier];
        let mut dialogs: [Vec<DialogId>; 2] = Default::default();
        let mut told: [Vec<Event>; 2] = Default::default();
        for (side, act) in acts {
            let side = usize::from(side);
            let pick = |at: usize| at.checked_rem(dialogs[side].len()).map(|at| dialogs[side][at]);
            let mut command = |act: &mut dyn FnMut(&mut Endpoint, std::time::Instant)| net.with(nodes[side], |e, now| act(e, now));
            match act {
                Act::Call => {
                    let trunk = ["carrier", "box"][side];
                    let dialog = net.with(nodes[side], |e, now| e.invite(now, to_trunk(trunk, "1", "2")));
                    dialogs[side].push(dialog);
                }
                Act::Wait(ms) => net.run_ms(ms),
                Act::Ring(at) => pick(at).into_iter().for_each(|d| command(&mut |e, now| e.provisional(now, d, 180, None))),
                Act::Accept(at) => pick(at).into_iter().for_each(|d| command(&mut |e, now| e.accept(now, d, answer()))),
                Act::Reject(at) => pick(at).into_iter().for_each(|d| command(&mut |e, now| e.reject(now, d, 486))),
                Act::Reoffer(at) => pick(at).into_iter().for_each(|d| command(&mut |e, now| e.reinvite(now, d, offer()))),
                Act::End(at) => pick(at).into_iter().for_each(|d| command(&mut |e, now| e.end(now, d))),
            }
            for side in 0..2 {
                while let Some(event) = net.event(nodes[side]) {
                    dialogs[side].extend(dialog_of(&event).filter(|d| !dialogs[side].contains(d)));
                    told[side].push(event);
                }
            }
        }
        net.lose(|_, _, _, _| false);
        for side in 0..2 {
            for dialog in dialogs[side].clone() {
                net.with(nodes[side], |e, now| e.end(now, dialog));
            }
        }
        // An INVITE that was on its way arrives, is found out to be cancelled, and everything times out.
        for _ in 0..3 {
            net.run_ms(120_000);
            for side in 0..2 {
                while let Some(event) = net.event(nodes[side]) {
                    if let Event::Invited { dialog, .. } = event {
                        net.with(nodes[side], |e, now| e.end(now, dialog));
                    }
                    told[side].push(event);
                }
            }
        }
        for side in 0..2 {
            let ends = |dialog: DialogId| {
                let of_it = told[side].iter().filter(|event| dialog_of(event) == Some(dialog));
                of_it.map(|event| matches!(event, Event::Ended { .. } | Event::Failed { .. })).collect::<Vec<_>>()
            };
            for dialog in &dialogs[side] {
                let ends = ends(*dialog);
                prop_assert_eq!(ends.iter().filter(|end| **end).count(), 1, "{:?}\n{}", dialog, net.ladder);
                prop_assert!(ends.last() == Some(&true), "{:?}\n{}", dialog, net.ladder);
            }
            let load = net.with(nodes[side], |e, _| e.load());
            prop_assert_eq!((load.dialogs, load.transactions), (0, 0), "{}", net.ladder);
        }
    }
}
