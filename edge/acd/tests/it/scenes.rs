//! Scenes: what goes in (`@seconds …`) and what comes out, compared whole.

use crate::world::{Scene, config, contact, queue, same};

const TWO: &str = "ann sales\nbob sales";

/// Plays the lines that begin with `@` and expects all the lines.
#[track_caller]
pub fn check(queues: &str, agents: &str, ladder: &str) {
    let mut scene = Scene::new(&config(queues, agents));
    let script: Vec<&str> = ladder.lines().filter(|line| line.trim().starts_with('@')).collect();
    scene.play(&script.join("\n"));
    same(&scene.ladder, ladder);
}

#[test]
fn the_longest_idle_agent_is_offered_first_and_wraps_up_after_the_call() {
    check(
        "sales",
        TWO,
        "@0 sign-in ann
            0 ann is NotReady
         @0 sign-in bob
            0 bob is NotReady
         @1 ready bob
            1 bob is Ready
         @2 ready ann
            2 ann is Ready
         @3 enter 1 sales
            3 bob is Offered
            3 offer 1 to bob (sales)
         @4 accept bob
            4 offer 1 to bob ended: Accepted
            4 bob is Talking
         @60 done bob
            60 bob is WrapUp
            60 bob wraps up 1
         @90
            70 bob has wrapped up 1
            70 bob is Ready",
    );
}

#[test]
fn an_agent_who_does_not_answer_is_passed_over_and_twice_in_a_row_is_not_ready() {
    check(
        "sales ring=20",
        TWO,
        "@0 sign-in ann
            0 ann is NotReady
         @0 ready ann
            0 ann is Ready
         @1 sign-in bob
            1 bob is NotReady
         @1 ready bob
            1 bob is Ready
         @10 enter 1 sales
            10 ann is Offered
            10 offer 1 to ann (sales)
         @40
            30 offer 1 to ann ended: TimedOut
            30 bob is Offered
            30 offer 1 to bob (sales)
            30 ann is Ready
         @55 
            50 offer 1 to bob ended: TimedOut
            50 ann is Offered
            50 offer 1 to ann (sales)
            50 bob is Ready
         @71
            70 offer 1 to ann ended: TimedOut
            70 bob is Offered
            70 offer 1 to bob (sales)
            70 ann is NotReady
         @72 decline bob
            72 offer 1 to bob ended: Declined
            72 bob is NotReady
         @80 ready ann
            80 ann is Ready
            80 ann is Offered
            80 offer 1 to ann (sales)",
    );
}

#[test]
fn a_phone_that_cannot_be_reached_makes_its_agent_not_ready_at_once() {
    check(
        "sales",
        "ann sales",
        "@0 sign-in ann
            0 ann is NotReady
         @0 ready ann
            0 ann is Ready
         @1 enter 1 sales
            1 ann is Offered
            1 offer 1 to ann (sales)
         @1 fail ann
            1 offer 1 to ann ended: Failed
            1 ann is NotReady",
    );
}

#[test]
fn a_caller_who_leaves_frees_the_agent_in_its_old_place() {
    check(
        "sales",
        TWO,
        "@0 sign-in ann
            0 ann is NotReady
         @0 ready ann
            0 ann is Ready
         @1 sign-in bob
            1 bob is NotReady
         @1 ready bob
            1 bob is Ready
         @2 enter 1 sales
            2 ann is Offered
            2 offer 1 to ann (sales)
         @3 leave 1
            3 offer 1 to ann ended: Withdrawn
            3 ann is Ready
         @4 enter 2 sales
            4 ann is Offered
            4 offer 2 to ann (sales)",
    );
}

#[test]
fn the_oldest_queue_time_comes_first_also_after_a_return_and_across_queues() {
    check(
        "sales\nrepairs",
        "ann sales,repairs",
        "@10 enter 1 sales
         @20 enter 2 repairs
         @30 return 3 repairs 5
         @40 sign-in ann
            40 ann is NotReady
         @40 ready ann
            40 ann is Ready
            40 ann is Offered
            40 offer 3 to ann (repairs)
         @41 leave 3
            41 offer 3 to ann ended: Withdrawn
            41 ann is Ready
            41 ann is Offered
            41 offer 1 to ann (sales)",
    );
}

#[test]
fn a_skill_below_the_level_is_no_skill() {
    check(
        "sales skill=english:5",
        "ann sales english:4\nbob sales english:5\ncid - english:9",
        "@0 sign-in ann
            0 ann is NotReady
         @0 ready ann
            0 ann is Ready
         @0 sign-in cid
            0 cid is NotReady
         @0 ready cid
            0 cid is Ready
         @1 enter 1 sales
         @2 sign-in bob
            2 bob is NotReady
         @2 ready bob
            2 bob is Ready
            2 bob is Offered
            2 offer 1 to bob (sales)",
    );
}

#[test]
fn what_an_agent_wishes_during_a_call_happens_after_it() {
    check(
        "sales wrap=0",
        "ann sales",
        "@0 sign-in ann
            0 ann is NotReady
         @0 ready ann
            0 ann is Ready
         @1 enter 1 sales
            1 ann is Offered
            1 offer 1 to ann (sales)
         @2 accept ann
            2 offer 1 to ann ended: Accepted
            2 ann is Talking
         @3 sign-out ann
         @4 done ann
            4 ann is SignedOut",
    );
}

#[test]
fn wrap_up_is_owed_until_the_other_call_has_ended_too() {
    check(
        "sales",
        "ann sales",
        "@0 sign-in ann
            0 ann is NotReady
         @0 ready ann
            0 ann is Ready
         @1 enter 1 sales
            1 ann is Offered
            1 offer 1 to ann (sales)
         @2 accept ann
            2 offer 1 to ann ended: Accepted
            2 ann is Talking
         @3 call-began ann
         @4 done ann
         @9 call-ended ann
            9 ann is WrapUp
            9 ann wraps up 1
         @10 not-ready ann
         @11 wrapped ann
            11 ann has wrapped up 1
            11 ann is NotReady",
    );
}

#[test]
fn an_agent_on_a_call_of_its_own_is_not_offered_anything() {
    check(
        "sales",
        "ann sales",
        "@0 sign-in ann
            0 ann is NotReady
         @0 ready ann
            0 ann is Ready
         @1 call-began ann
            1 ann is Talking
         @2 enter 1 sales
         @3 call-ended ann
            3 ann is Ready
            3 ann is Offered
            3 offer 1 to ann (sales)
         @4 call-began ann
            4 offer 1 to ann ended: Declined
            4 ann is Talking",
    );
}

#[test]
fn the_position_is_told_again_and_again_but_not_while_a_phone_rings() {
    check(
        "sales position=30 ring=40",
        "ann sales",
        "@0 enter 1 sales
         @10 enter 2 sales
         @45
            30 1 is at Some(1)
            40 2 is at Some(2)
         @50 sign-in ann
            50 ann is NotReady
         @50 ready ann
            50 ann is Ready
            50 ann is Offered
            50 offer 1 to ann (sales)
         @71
            70 2 is at Some(2)
         @72 accept ann
            72 offer 1 to ann ended: Accepted
            72 ann is Talking
         @100
            100 2 is at Some(1)",
    );
}

#[test]
fn a_contact_may_leave_after_its_time_once_and_again_when_nobody_took_it() {
    check(
        "sales overflow=20\nprivate",
        "ann sales",
        "@0 enter 1 sales
         @0 enter 2 private
         @30
            20 1 may go to [south]
         @40 overflow-failed 1
         @100
            60 1 may go to [south]",
    );
}

#[test]
fn overflow_waits_for_the_end_of_a_running_offer() {
    check(
        "sales overflow=20 ring=30",
        "ann sales",
        "@0 sign-in ann
            0 ann is NotReady
         @0 ready ann
            0 ann is Ready
         @1 enter 1 sales
            1 ann is Offered
            1 offer 1 to ann (sales)
         @25 fail ann
            25 offer 1 to ann ended: Failed
            25 ann is NotReady
            25 1 may go to [south]",
    );
}

#[test]
fn a_guest_is_offered_at_once_or_given_back() {
    check(
        "sales overflow=5 position=5",
        "ann sales",
        "@0 guest 1 sales
            0 1 is given back: NobodyReady
         @0 sign-in ann
            0 ann is NotReady
         @0 ready ann
            0 ann is Ready
         @1 guest 2 sales
            1 ann is Offered
            1 offer 2 to ann (sales)
         @30
            21 offer 2 to ann ended: TimedOut
            21 ann is Ready
            21 ann is Offered
            21 offer 2 to ann (sales)
         @50
            41 offer 2 to ann ended: TimedOut
            41 ann is NotReady
            41 2 is given back: NobodyReady
         @51 guest 3 nowhere
            51 3 is given back: UnknownQueue",
    );
}

#[test]
fn a_queue_that_is_removed_gives_its_contacts_back_and_the_rest_goes_on() {
    let (before, after) = (config("sales\nrepairs", "ann sales,repairs"), config("repairs", "ann sales,repairs"));
    let mut scene = Scene::new(&before);
    scene.play("@0 sign-in ann\n@0 ready ann\n@1 enter 1 sales\n@2 enter 2 sales\n@3 enter 3 repairs");
    scene.ladder.clear();
    scene.configure(9, &after);
    same(
        &scene.ladder,
        "@9 configure
            9 offer 1 to ann ended: Withdrawn
            9 ann is Ready
            9 1 is given back: QueueGone
            9 2 is given back: QueueGone
            9 ann is Offered
            9 offer 3 to ann (repairs)",
    );
}

#[test]
fn an_agent_who_is_removed_finishes_the_call_and_is_gone() {
    let mut scene = Scene::new(&config("sales", "ann sales\nbob sales\ncid sales"));
    scene.play("@0 sign-in ann\n@0 ready ann\n@1 enter 1 sales\n@2 accept ann\n@3 sign-in bob\n@3 ready bob");
    scene.play("@4 enter 2 sales\n@5 sign-in cid\n@5 ready cid");
    scene.ladder.clear();
    scene.configure(9, &config("sales", "cid sales"));
    scene.play("@10 done ann\n@11 sign-in ann");
    same(
        &scene.ladder,
        "@9 configure
            9 offer 2 to bob ended: Withdrawn
            9 bob is SignedOut
            9 cid is Offered
            9 offer 2 to cid (sales)
         @10 done ann
            10 ann is SignedOut
         @11 sign-in ann",
    );
}

#[test]
fn a_lost_skill_takes_the_offer_back_and_a_new_one_brings_work() {
    let mut scene = Scene::new(&config("sales skill=english:5", "ann sales english:5\nbob sales english:1"));
    scene.play("@0 sign-in ann\n@0 ready ann\n@0 sign-in bob\n@0 ready bob\n@1 enter 1 sales");
    scene.ladder.clear();
    scene.configure(2, &config("sales skill=english:5", "ann sales english:4\nbob sales english:9"));
    same(
        &scene.ladder,
        "@2 configure
            2 offer 1 to ann ended: Withdrawn
            2 ann is Ready
            2 bob is Offered
            2 offer 1 to bob (sales)",
    );
}

#[test]
fn the_line_is_full_at_its_limit_and_positions_end_at_theirs() {
    let mut scene = Scene::new(&config("sales position=1", "ann sales"));
    let full = acd::CONTACTS_MAX as u128;
    for n in 0..full {
        scene.play(&format!("@0 enter {n} sales"));
    }
    scene.ladder.clear();
    scene.play(&format!("@0 enter {full} sales"));
    same(&scene.ladder, "@0 enter 20000 sales\n 0 20000 is given back: Full");
    assert_eq!(scene.acd.count(&queue("sales")).map(|count| count.waiting), Some(acd::CONTACTS_MAX));
    assert!(!scene.acd.holds(contact(full)));

    scene.ladder.clear();
    scene.play("@1");
    assert!(scene.ladder.contains("1 19 is at Some(20)\n"));
    assert!(scene.ladder.contains("1 20 is at None\n"));
}

#[test]
fn a_wrap_up_is_made_longer_three_times_and_no_more() {
    check(
        "sales wrap=10",
        "ann sales",
        "@0 sign-in ann
            0 ann is NotReady
         @0 ready ann
            0 ann is Ready
         @1 enter 1 sales
            1 ann is Offered
            1 offer 1 to ann (sales)
         @2 accept ann
            2 offer 1 to ann ended: Accepted
            2 ann is Talking
         @3 more ann
         @10 done ann
            10 ann is WrapUp
            10 ann wraps up 1
         @11 more ann
         @12 more ann
         @13 more ann
         @14 more ann
         @60
            50 ann has wrapped up 1
            50 ann is Ready",
    );
}
