//! Whatever sites report and people say: nobody gets it before the wave before has passed, and nothing that was halted
//! stays anywhere.

use fleet::{Evidence, Input, Standing, State, rollout::Command};
use model::{BoxId, Millis, SiteId, leaving::Fare};
use proptest::prelude::*;

use crate::rollout::{Desk, plan};

#[derive(Debug, Clone)]
enum Step {
    Wait(i64),
    See(u8, Evidence),
    Say(Command),
}

fn step() -> impl Strategy<Value = Step> {
    let calls = prop_oneof![4 => Just(Fare::Few), 6 => Just(Fare::AsBefore), 1 => Just(Fare::Worse)];
    let restarts = prop::option::of(0..3_u32);
    let evidence = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.03), any::<bool>(), restarts, calls).prop_map(
        |(linked, runs, refused, others_wrote, restarts, calls)| Evidence {
            linked,
            runs,
            refused,
            others_wrote,
            restarts: restarts.map(|count| (BoxId(1), count)).into_iter().collect(),
            calls,
        },
    );
    let said = prop_oneof![
        Just(Command::Pause),
        Just(Command::Resume),
        Just(Command::Resume),
        Just(Command::GoOn),
        Just(Command::TakeBack)
    ];
    prop_oneof![
        4 => (0..700_000_i64).prop_map(Step::Wait),
        8 => (0..4_u8, evidence).prop_map(|(site, evidence)| Step::See(site, evidence)),
        1 => said.prop_map(Step::Say),
    ]
}

proptest! {
    #[test]
    fn waves_come_one_after_another_and_what_is_halted_is_taken_back(steps in prop::collection::vec(step(), 1..80)) {
        let mut desk = Desk::new(false);
        let sites: Vec<SiteId> = plan().waves.concat();
        for step in steps {
            let was_over = desk.rollout.state.is_over();
            let written = desk.written.len();
            match step {
                Step::Wait(ms) => desk.wait(ms),
                Step::See(site, evidence) => {
                    let site = sites[usize::from(site)].clone();
                    desk.rollout.handle_input(Millis(desk.now), Input::Seen { site, evidence });
                    desk.wait(0);
                }
                Step::Say(command) => {
                    let _ = desk.say("ben", command);
                    desk.wait(0);
                }
            }
            prop_assert!(!was_over || desk.written.len() == written, "nothing is written after the end");
            let reached = desk.written.iter().map(|site| {
                plan().waves.iter().position(|wave| wave.contains(site)).unwrap()
            }).max().unwrap_or(0);
            for site in plan().waves[..reached].concat() {
                let standing = desk.rollout.sites[&site].standing;
                prop_assert!(matches!(standing, Standing::Passed | Standing::TakenBack { .. }), "{site} {standing:?}");
            }
            if let State::Reverted { .. } = desk.rollout.state {
                let mut back = desk.taken_back.clone();
                let mut written = desk.written.clone();
                back.sort();
                written.sort();
                prop_assert_eq!(back, written);
            }
        }
    }
}
