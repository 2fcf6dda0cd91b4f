//! What becomes of a roll-out, as sites report and people say.

use fleet::{
    Evidence, Input, Output, Plan, Rollout, Standing, State, Why,
    rollout::{Command, Refused},
};
use model::{BoxId, Millis, SiteId, leaving::Fare};

const SOAK: i64 = 600_000;
const PATIENCE: i64 = 300_000;
pub const GOOD: Evidence = Evidence {
    linked: true,
    runs: true,
    refused: false,
    others_wrote: false,
    restarts: std::collections::BTreeMap::new(),
    calls: Fare::AsBefore,
};

fn site(name: &str) -> SiteId {
    name.parse().unwrap()
}

pub fn plan() -> Plan {
    let wave = |names: &[&str]| names.iter().map(|name| site(name)).collect();
    let waves = vec![wave(&["canary"]), wave(&["east", "north"]), wave(&["south"])];
    Plan { waves, soak_ms: SOAK, patience_ms: PATIENCE, wants_calls: true }
}

/// A roll-out whose every wish is granted at once.
pub struct Desk {
    pub rollout: Rollout,
    pub now: i64,
    pub written: Vec<SiteId>,
    pub taken_back: Vec<SiteId>,
}

impl Desk {
    pub fn new(needs_second: bool) -> Self {
        let rollout = Rollout::new(plan(), "ann".into(), needs_second, Millis(1));
        let mut desk = Self { rollout, now: 1, written: Vec::new(), taken_back: Vec::new() };
        desk.wait(0);
        desk
    }

    pub fn wait(&mut self, ms: i64) {
        self.now += ms;
        // As it would be after a restart.
        let kept = serde_json::to_string(&self.rollout).unwrap();
        self.rollout = serde_json::from_str(&kept).unwrap();
        self.rollout.handle_timeout(Millis(self.now));
        while let Some(output) = self.rollout.poll_output() {
            let input = match output {
                Output::Write(site) => {
                    self.written.push(site.clone());
                    Input::Written { site, changed: true }
                }
                Output::TakeBack(site) => {
                    self.taken_back.push(site.clone());
                    Input::TakenBack { site, left: 0 }
                }
            };
            self.rollout.handle_input(Millis(self.now), input);
        }
        // What was asked for is done: nothing is asked for twice.
        self.rollout.handle_timeout(Millis(self.now));
        assert_eq!(self.rollout.poll_output(), None);
    }

    pub fn say(&mut self, by: &str, command: Command) -> Result<(), Refused> {
        self.rollout.command(Millis(self.now), by, command)
    }

    fn see(&mut self, evidence: Evidence) {
        let watched: Vec<SiteId> = self.rollout.watched().cloned().collect();
        for site in watched {
            self.rollout.handle_input(Millis(self.now), Input::Seen { site, evidence: evidence.clone() });
        }
        self.wait(0);
    }

    fn written(&self) -> Vec<&str> {
        self.written.iter().map(SiteId::as_str).collect()
    }

    fn standing(&self, name: &str) -> Standing {
        self.rollout.sites[&site(name)].standing
    }
}

#[test]
fn a_good_change_reaches_wave_after_wave_each_when_the_one_before_has_soaked() {
    let mut desk = Desk::new(false);
    assert_eq!(desk.written(), ["canary"]);
    desk.see(GOOD);
    desk.wait(SOAK - 1);
    assert_eq!(desk.written(), ["canary"], "not before the soak is over");
    desk.wait(1);
    assert_eq!(desk.written(), ["canary", "east", "north"]);
    desk.see(GOOD);
    desk.wait(SOAK);
    desk.see(GOOD);
    desk.wait(SOAK);
    assert_eq!((desk.written().len(), &desk.rollout.state), (4, &State::Done));
    assert_eq!(desk.standing("south"), Standing::Passed);
    assert!(desk.taken_back.is_empty());
}

#[test]
fn when_fewer_callers_reach_somebody_at_the_canary_it_is_taken_back_and_nobody_else_gets_it() {
    let mut desk = Desk::new(false);
    desk.see(GOOD);
    desk.see(Evidence { calls: Fare::Worse, ..GOOD });
    let why = Why::CallsFell { site: site("canary") };
    assert_eq!(desk.rollout.state, State::Reverted { why });
    assert_eq!((desk.written(), desk.taken_back.len()), (vec!["canary"], 1));
    desk.wait(10 * SOAK);
    assert_eq!(desk.written(), ["canary"]);
    assert_eq!(desk.say("ann", Command::Resume), Err(Refused::NotNow));
}

#[test]
fn a_site_that_fails_in_a_later_wave_takes_everything_back() {
    let mut desk = Desk::new(false);
    desk.see(GOOD);
    desk.wait(SOAK);
    let seen = Input::Seen { site: site("north"), evidence: Evidence { refused: true, runs: false, ..GOOD } };
    desk.rollout.handle_input(Millis(desk.now), seen);
    desk.wait(0);
    assert_eq!(desk.rollout.state, State::Reverted { why: Why::Refused { site: site("north") } });
    assert_eq!(desk.taken_back.len(), 3);
    assert_eq!(desk.standing("south"), Standing::Waiting);
}

#[test]
fn while_too_few_call_the_canaries_keep_the_others_waiting_until_a_person_says_go() {
    let mut desk = Desk::new(false);
    desk.see(Evidence { calls: Fare::Few, ..GOOD });
    desk.wait(5 * SOAK);
    assert_eq!((desk.written(), &desk.rollout.state), (vec!["canary"], &State::Running));
    desk.say("ben", Command::GoOn).unwrap();
    desk.wait(0);
    assert_eq!(desk.written().len(), 3);
    // Later waves do not wait for calls.
    desk.see(Evidence { calls: Fare::Few, ..GOOD });
    desk.wait(SOAK);
    assert_eq!(desk.written().len(), 4);
}

#[test]
fn a_site_that_is_silent_holds_everything_for_a_person_and_is_given_its_time_again() {
    let mut desk = Desk::new(false);
    desk.wait(PATIENCE - 1);
    assert_eq!(desk.rollout.state, State::Running);
    desk.wait(1);
    assert_eq!(desk.rollout.state, State::Held { why: Why::Silent { site: site("canary") } });
    desk.say("ann", Command::Resume).unwrap();
    desk.wait(PATIENCE - 1);
    assert_eq!(desk.rollout.state, State::Running);
    // It came, and was lost before its soak was over.
    desk.see(GOOD);
    desk.see(Evidence { linked: false, runs: false, ..GOOD });
    desk.wait(PATIENCE - 1);
    assert_eq!((desk.written(), &desk.rollout.state), (vec!["canary"], &State::Running));
    desk.wait(1);
    assert_eq!(desk.rollout.state, State::Held { why: Why::Silent { site: site("canary") } });
    assert!(desk.taken_back.is_empty());
}

#[test]
fn a_link_that_is_lost_for_a_second_holds_nothing_and_lost_time_is_no_part_of_the_soak() {
    let lost = Evidence { linked: false, runs: false, ..GOOD };
    let mut desk = Desk::new(false);
    desk.see(GOOD);
    desk.see(Evidence { calls: Fare::Few, ..GOOD });
    desk.wait(SOAK - 2);
    desk.see(lost.clone());
    desk.wait(PATIENCE - 1);
    desk.see(lost.clone());
    assert_eq!((desk.written(), &desk.rollout.state), (vec!["canary"], &State::Running));
    desk.see(GOOD);
    desk.wait(1);
    assert_eq!(desk.written(), ["canary"], "one more millisecond of the soak");
    desk.wait(1);
    assert_eq!(desk.written(), ["canary", "east", "north"]);
    desk.see(GOOD);
    desk.wait(SOAK - 1);
    desk.see(lost.clone());
    desk.wait(PATIENCE);
    assert!(matches!(desk.rollout.state, State::Held { why: Why::Silent { .. } }));
    desk.say("ann", Command::Resume).unwrap();
    desk.wait(PATIENCE - 1);
    assert_eq!(desk.rollout.state, State::Running, "it is given its time again");
    desk.see(GOOD);
    desk.wait(1);
    assert_eq!(desk.written().len(), 4, "and what it had soaked counts");
}

#[test]
fn a_box_whose_processes_start_again_soaks_from_the_start() {
    let mut desk = Desk::new(false);
    let with = |restarts| Evidence { restarts: [(BoxId(1), restarts)].into(), ..GOOD };
    desk.see(with(1));
    for restarts in 2..4 {
        desk.wait(SOAK - 1);
        desk.see(with(restarts));
        assert_eq!(desk.written(), ["canary"]);
    }
    // A reboot counts from nothing.
    desk.see(with(0));
    desk.wait(SOAK);
    assert_eq!(desk.written().len(), 3);
}

#[test]
fn restarts_are_counted_box_by_box_also_after_a_boot_and_while_the_site_is_lost() {
    let with = |told: &[(u128, u32)]| Evidence {
        restarts: told.iter().map(|(id, count)| (BoxId(*id), *count)).collect(),
        ..GOOD
    };
    // Another box that links brings its past along, and one that goes takes it away.
    let mut desk = Desk::new(false);
    for told in [&[(1, 7)][..], &[(1, 7), (2, 40)], &[(2, 40)], &[(1, 7), (2, 40)]] {
        desk.see(with(told));
        desk.wait(1);
    }
    assert_eq!(desk.rollout.sites[&site("canary")].restless, 0);
    // A boot counts from nothing, and what happened since counts.
    let mut desk = Desk::new(false);
    desk.see(with(&[(1, 7)]));
    desk.wait(1);
    desk.see(with(&[(1, 3)]));
    desk.wait(1);
    assert_eq!(desk.rollout.state, State::Held { why: Why::Restless { site: site("canary") } });
    // A box that comes and goes is restless too.
    let mut desk = Desk::new(false);
    desk.see(with(&[(1, 0)]));
    for count in 1..=3 {
        desk.wait(1);
        desk.see(Evidence { linked: false, runs: false, ..with(&[(1, count)]) });
    }
    desk.wait(1);
    assert_eq!(desk.rollout.state, State::Held { why: Why::Restless { site: site("canary") } });
}

#[test]
fn a_box_whose_processes_start_again_and_again_waits_for_a_person() {
    let mut desk = Desk::new(false);
    let with = |restarts| Evidence { restarts: [(BoxId(1), restarts)].into(), ..GOOD };
    desk.see(with(7));
    for restarts in 8..10 {
        desk.wait(SOAK - 1);
        desk.see(with(restarts));
        assert_eq!(desk.rollout.state, State::Running, "{restarts}");
    }
    desk.wait(SOAK - 1);
    desk.see(with(10));
    assert_eq!(desk.rollout.state, State::Held { why: Why::Restless { site: site("canary") } });
    assert!(desk.taken_back.is_empty(), "whether the change is to blame is a person's to judge");
    // Somebody has mended the box.
    desk.say("ann", Command::Resume).unwrap();
    desk.wait(SOAK);
    assert_eq!((desk.written().len(), &desk.rollout.state), (3, &State::Running));
    // Restarts long ago, or while another waits, are nothing to a site that has passed.
    desk.see(with(99));
    assert_eq!(desk.rollout.state, State::Running);

    let mut desk = Desk::new(false);
    desk.see(with(0));
    desk.see(with(3));
    assert!(matches!(desk.rollout.state, State::Held { .. }), "also all at once");
}

#[test]
fn what_is_bad_after_somebody_else_wrote_there_is_a_persons_to_judge() {
    for bad in [Evidence { calls: Fare::Worse, ..GOOD }, Evidence { refused: true, runs: false, ..GOOD }] {
        let mut desk = Desk::new(false);
        desk.see(GOOD);
        desk.wait(SOAK);
        let theirs = Input::Seen { site: site("canary"), evidence: Evidence { others_wrote: true, ..bad } };
        desk.rollout.handle_input(Millis(desk.now), theirs);
        desk.wait(0);
        assert!(matches!(desk.rollout.state, State::Held { .. }));
        assert!(desk.taken_back.is_empty());
        desk.see(GOOD);
        desk.say("ann", Command::Resume).unwrap();
        desk.wait(SOAK);
        assert_eq!((desk.written().len(), &desk.rollout.state), (4, &State::Running), "they mended it");
    }
}

#[test]
fn a_site_whose_documents_cannot_be_read_keeps_no_other_from_being_taken_back_and_is_tried_again_by_a_person() {
    let mut desk = Desk::new(false);
    desk.see(GOOD);
    desk.wait(SOAK);
    desk.say("ben", Command::TakeBack).unwrap();
    let answer = |rollout: &mut Rollout, stuck: bool| {
        rollout.handle_timeout(Millis(1));
        let mut asked = Vec::new();
        while let Some(Output::TakeBack(id)) = rollout.poll_output() {
            asked.push(id.clone());
            let input = match stuck && id == site("canary") {
                true => Input::Stuck { site: id },
                false => Input::TakenBack { site: id, left: 0 },
            };
            rollout.handle_input(Millis(1), input);
        }
        rollout.handle_timeout(Millis(1));
        asked.len()
    };
    assert_eq!(answer(&mut desk.rollout, true), 3);
    assert!(matches!(desk.rollout.state, State::Reverted { .. }));
    assert_eq!((desk.standing("canary"), desk.standing("east")), (Standing::Stuck, Standing::TakenBack { left: 0 }));
    desk.say("ann", Command::TakeBack).unwrap();
    assert_eq!(desk.rollout.state.stopped_by(), Some("ann"));
    assert_eq!(answer(&mut desk.rollout, false), 1);
    assert_eq!(desk.standing("canary"), Standing::TakenBack { left: 0 });
    assert_eq!(desk.say("ann", Command::TakeBack), Err(Refused::NotNow));
}

#[test]
fn while_it_is_held_nothing_is_written_and_what_was_is_still_watched() {
    let mut desk = Desk::new(false);
    desk.see(GOOD);
    desk.say("ben", Command::Pause).unwrap();
    desk.wait(2 * SOAK);
    assert_eq!(desk.written(), ["canary"]);
    desk.see(Evidence { calls: Fare::Worse, ..GOOD });
    assert!(matches!(desk.rollout.state, State::Reverted { .. }));
}

#[test]
fn what_wants_two_people_waits_for_another_than_who_began_it() {
    let mut desk = Desk::new(true);
    desk.wait(SOAK);
    assert!(desk.written.is_empty());
    assert_eq!(desk.say("ann", Command::Agree), Err(Refused::SamePerson));
    desk.say("ben", Command::Agree).unwrap();
    desk.wait(0);
    assert_eq!(desk.written(), ["canary"]);
    assert_eq!(desk.say("ben", Command::Agree), Err(Refused::NotNow));
}

#[test]
fn a_person_takes_back_what_is_under_way_what_is_done_and_what_never_began() {
    let mut desk = Desk::new(false);
    desk.see(GOOD);
    for _ in 0..3 {
        desk.wait(SOAK);
        desk.see(GOOD);
    }
    assert_eq!(desk.rollout.state, State::Done);
    desk.say("ben", Command::TakeBack).unwrap();
    desk.wait(0);
    assert_eq!((desk.taken_back.len(), desk.rollout.state.is_over()), (4, true));
    let mut never = Desk::new(true);
    never.say("ann", Command::TakeBack).unwrap();
    never.wait(0);
    assert!(never.rollout.state.is_over() && never.written.is_empty());
}

#[test]
fn where_it_is_so_already_nothing_is_watched_or_taken_back() {
    let mut rollout = Rollout::new(plan(), "ann".into(), false, Millis(1));
    for n in 0..4 {
        rollout.handle_timeout(Millis(n));
        while let Some(Output::Write(site)) = rollout.poll_output() {
            rollout.handle_input(Millis(n), Input::Written { site, changed: false });
        }
    }
    assert_eq!((&rollout.state, rollout.watched().count()), (&State::Done, 0));
}

#[test]
fn a_site_whose_documents_do_not_take_it_halts_it() {
    let mut rollout = Rollout::new(plan(), "ann".into(), false, Millis(1));
    rollout.handle_input(Millis(1), Input::Unfit { site: site("canary") });
    rollout.handle_timeout(Millis(1));
    assert_eq!(rollout.state, State::Reverted { why: Why::Unfit { site: site("canary") } });
}
