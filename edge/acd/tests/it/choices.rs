//! Scenes of choice: who is next, who is asked, and whom else.

use crate::{
    scenes::check,
    world::{Scene, config, same, tell},
};

#[test]
fn a_customer_of_value_comes_first_until_an_ordinary_one_has_waited_too_long() {
    check(
        "sales ageing=60",
        "ann sales",
        "@0 enter 1 sales
         @5 enter 2 sales value:3
         @6 enter 3 sales value:1
         @10 sign-in ann
            10 ann is NotReady
         @10 ready ann
            10 ann is Ready
            10 ann is Offered
            10 offer 2 to ann (sales)
         @11 leave 2
            11 offer 2 to ann ended: Withdrawn
            11 ann is Ready
            11 ann is Offered
            11 offer 3 to ann (sales)
         @12 accept ann
            12 offer 3 to ann ended: Accepted
            12 ann is Talking
         @50 enter 4 sales value:4
         @61 done ann
            61 ann is WrapUp
            61 ann wraps up 3
         @62 wrapped ann
            62 ann has wrapped up 3
            62 ann is Ready
            62 ann is Offered
            62 offer 1 to ann (sales)",
    );
}

#[test]
fn the_last_ready_agent_is_kept_for_customers_of_value_and_for_those_who_have_waited_too_long() {
    check(
        "sales ageing=60 reserve=1:2",
        "ann sales\nbob sales",
        "@0 sign-in ann
            0 ann is NotReady
         @0 ready ann
            0 ann is Ready
         @1 enter 1 sales value:1
         @2 enter 2 sales value:2
            2 ann is Offered
            2 offer 2 to ann (sales)
         @3 leave 2
            3 offer 2 to ann ended: Withdrawn
            3 ann is Ready
         @4 sign-in bob
            4 bob is NotReady
         @4 ready bob
            4 bob is Ready
            4 ann is Offered
            4 offer 1 to ann (sales)
         @5 decline ann
            5 offer 1 to ann ended: Declined
            5 ann is Ready
            5 bob is Offered
            5 offer 1 to bob (sales)
         @6 accept bob
            6 offer 1 to bob ended: Accepted
            6 bob is Talking
         @10 enter 3 sales
         @70
            70 ann is Offered
            70 offer 3 to ann (sales)",
    );
}

#[test]
fn a_wish_for_a_skill_is_kept_until_a_tier_asks_for_less() {
    check(
        "sales tier=20s,less:3 tier=40s,also:repairs",
        "ann sales english:4\nbob repairs english:9",
        "@0 sign-in ann
            0 ann is NotReady
         @0 ready ann
            0 ann is Ready
         @0 sign-in bob
            0 bob is NotReady
         @0 ready bob
            0 bob is Ready
         @1 enter 1 sales english:6
         @2 enter 2 sales english:9
         @22
            21 ann is Offered
            21 offer 1 to ann (sales)
         @23 accept ann
            23 offer 1 to ann ended: Accepted
            23 ann is Talking
         @43
            42 bob is Offered
            42 offer 2 to bob (sales)",
    );
}

#[test]
fn a_line_that_grows_too_long_opens_the_next_tier_for_everybody_in_it() {
    check(
        "sales tier=2waiting,also:repairs\nrepairs",
        "bob repairs\ncid repairs",
        "@0 sign-in bob
            0 bob is NotReady
         @0 ready bob
            0 bob is Ready
         @0 sign-in cid
            0 cid is NotReady
         @1 ready cid
            1 cid is Ready
         @2 enter 1 sales
         @3 enter 2 sales
         @4 enter 3 sales value:1
            4 bob is Offered
            4 offer 3 to bob (sales)
            4 cid is Offered
            4 offer 1 to cid (sales)",
    );
}

#[test]
fn a_customer_waits_a_while_for_the_agent_it_knows_and_then_for_anybody() {
    check(
        "sales last-agent=30 wrap=0",
        "ann sales\nbob sales",
        "@0 sign-in ann
            0 ann is NotReady
         @0 ready ann
            0 ann is Ready
         @1 sign-in bob
            1 bob is NotReady
         @1 ready bob
            1 bob is Ready
         @2 enter 1 sales last:bob
            2 bob is Offered
            2 offer 1 to bob (sales)
         @3 accept bob
            3 offer 1 to bob ended: Accepted
            3 bob is Talking
         @4 enter 2 sales last:bob
         @5 enter 3 sales
            5 ann is Offered
            5 offer 3 to ann (sales)
         @6 accept ann
            6 offer 3 to ann ended: Accepted
            6 ann is Talking
         @7 enter 4 sales
         @20 done bob
            20 bob is Ready
            20 bob is Offered
            20 offer 2 to bob (sales)
         @21 accept bob
            21 offer 2 to bob ended: Accepted
            21 bob is Talking
         @22 enter 5 sales last:bob
         @25 done ann
            25 ann is Ready
            25 ann is Offered
            25 offer 4 to ann (sales)
         @26 leave 4
            26 offer 4 to ann ended: Withdrawn
            26 ann is Ready
         @53
            52 ann is Offered
            52 offer 5 to ann (sales)",
    );
}

#[test]
fn nobody_waits_for_an_agent_who_has_left() {
    check(
        "sales last-agent=300 wrap=0",
        "ann sales\nbob sales",
        "@0 sign-in bob
            0 bob is NotReady
         @0 ready bob
            0 bob is Ready
         @0 sign-in ann
            0 ann is NotReady
         @1 enter 1 sales
            1 bob is Offered
            1 offer 1 to bob (sales)
         @2 accept bob
            2 offer 1 to bob ended: Accepted
            2 bob is Talking
         @3 ready ann
            3 ann is Ready
         @4 enter 2 sales last:bob
         @5 not-ready bob
         @6 done bob
            6 bob is NotReady
            6 ann is Offered
            6 offer 2 to ann (sales)",
    );
}

/// Four agents who became ready in the order of their names, and what each strategy does with two contacts.
#[test]
fn each_strategy_has_its_own_first_agent() {
    let agents = "ann sales english:3\nbob sales english:9\ncid sales english:6\ndan sales english:9";
    let table = [
        ("longest-idle", "ann", "bob"),
        // ann and bob have worked, cid and dan have not.
        ("least-occupied", "cid", "dan"),
        ("most-skilled", "bob", "dan"),
        // cid and dan have never been offered anything.
        ("round-robin", "cid", "dan"),
    ];
    for (strategy, first, second) in table {
        let queues = format!("sales wrap=0 skill=english:1 strategy={strategy}");
        let mut scene = Scene::new(&config(&queues, agents));
        scene.play(
            "@0 sign-in ann
             @0 sign-in bob
             @0 sign-in cid
             @0 sign-in dan
             @0 ready ann
             @0 enter 1 sales
             @1 accept ann
             @1 ready bob
             @1 enter 2 sales
             @2 accept bob
             @10 done ann
             @11 done bob
             @12 ready cid
             @13 ready dan",
        );
        scene.ladder.clear();
        scene.play("@20 enter 8 sales\n@20 enter 9 sales");
        let expected = format!(
            "@20 enter 8 sales
             20 {first} is Offered
             20 offer 8 to {first} (sales)
             @20 enter 9 sales
             20 {second} is Offered
             20 offer 9 to {second} (sales)"
        );
        same(&scene.ladder, &expected);
    }
}

#[test]
fn a_decision_is_written_down_and_made_again_and_a_forged_one_is_found_out() {
    let config = config("sales skill=english:2 strategy=most-skilled", "ann sales english:3\nbob sales english:5");
    let mut scene = Scene::new(&config);
    scene.play("@0 sign-in ann\n@0 sign-in bob\n@0 ready ann\n@0 ready bob");
    let now = scene.zero + std::time::Duration::from_secs(7);
    let stay = acd::Stay::Own;
    let (contact, queue) = (crate::world::contact(1), crate::world::queue("sales"));
    let wants = acd::Wants::default();
    scene.acd.handle_input(now, acd::Input::Enter { contact, queue, since: scene.zero, stay, wants });
    let Some(acd::Output::Decided { decision, .. }) = scene.acd.poll_output() else { panic!("decided first") };
    assert_eq!(decision.candidates.iter().map(|c| c.agent.as_str()).collect::<Vec<_>>(), ["bob", "ann"]);
    assert_eq!((decision.waited_ms, decision.ready, decision.waiting), (7_000, 2, 1));
    assert_eq!(acd::decision::replay(&config, &decision), Ok(crate::world::agent("bob")));
    assert_eq!(acd::decision::asked(&config, &decision), "english 2");
    let mut forged = *decision.clone();
    forged.candidates[1].skill = 9;
    let fault = acd::decision::replay(&config, &forged).expect_err("ann has 3");
    assert_eq!(fault.to_string(), "ann has 3 in the skills that are asked for, not 9");
    assert!(tell(&acd::Output::Decided { contact, decision }).contains("decided on 1"));
}
