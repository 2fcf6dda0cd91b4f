//! Calls that go on by a phone's own forward: inside, outside, and not for ever.

use model::{
    config::Config,
    fact::{Kind, OutwardRefusal},
    forward::Forward,
};

use crate::{
    branch::{self, id},
    scene::{Scene, check},
};

fn branch(phone: &str, forward: Forward) -> Config {
    let mut config = branch::config();
    set(&mut config, phone, forward);
    config
}

fn set(config: &mut Config, phone: &str, forward: Forward) {
    config.phones.get_mut(&id(phone)).expect("a phone").forward = forward;
}

fn always(to: &str) -> Forward {
    Forward { always: Some(id(to)), ..Forward::default() }
}

fn refusals(scene: &Scene) -> Vec<OutwardRefusal> {
    let why = |kind: &Kind| match kind {
        Kind::OutwardRefused { why, .. } => Some(*why),
        _ => None,
    };
    scene.facts.iter().filter_map(|fact| why(&fact.kind)).collect()
}

#[test]
fn each_condition_sends_a_call_where_the_phone_says() {
    let to = |n: &str| Some(id(n));
    let forward =
        Forward { busy: to("5551001"), no_answer: to("5551002"), unregistered: to("5551003"), ..Forward::default() };
    let mut scene = Scene::new(branch("202", forward));
    check(
        &mut scene,
        "@1 202 unregisters\n@1 203 calls 202",
        &["Dialled from 203 on -", "Forwarded by 202 Unavailable on carrier", "dial carrier/5551003 from 5550100"],
    );
    check(&mut scene, "@2 203 hangs up\n@3 202 registers\n@4 203 calls 202", &["dial 202 from 203"]);
    check(&mut scene, "@5 202 is busy", &["Forwarded by 202 Busy on carrier", "dial carrier/5551001"]);
    check(&mut scene, "@6 203 hangs up\n@10 203 calls 202\n@11 202 rings", &["dial 202 from 203", "ring 203"]);
    check(&mut scene, "@29", &[]);
    assert!(!scene.ladder.contains("5551002"), "{}", scene.ladder);
    check(&mut scene, "@31", &["reject 202 NoAnswer", "Forwarded by 202 NoAnswer on carrier", "dial carrier/5551002"]);
    check(
        &mut scene,
        "@33 carrier/5551002 answers",
        &["Answered", "answer 203", "join 203 and carrier/5551002", "Charged 202"],
    );
    // While it talks, whoever calls it is sent on as well.
    check(&mut scene, "@40 203 hangs up\n@41 202 calls 201\n@42 203 calls 202", &["Forwarded by 202 Busy"]);
}

#[test]
fn a_call_that_is_answered_in_time_stays() {
    let forward = Forward { no_answer: Some(id("5551002")), ..Forward::default() };
    let mut scene = Scene::new(branch("202", forward));
    check(&mut scene, "@1 202 registers\n@2 203 calls 202\n@3 202 answers\n@60", &["join 203 and 202"]);
    assert!(!scene.ladder.contains("Forwarded"), "{}", scene.ladder);
}

#[test]
fn a_forward_inside_goes_from_phone_to_phone_and_a_circle_ends() {
    let mut config = branch("201", always("202"));
    set(&mut config, "202", always("203"));
    let mut scene = Scene::new(config.clone());
    check(
        &mut scene,
        "@1 203 registers\n@2 1 calls 201",
        &["Forwarded by 201 Always", "Forwarded by 202 Always", "dial 203 from"],
    );
    set(&mut config, "203", always("201"));
    let mut scene = Scene::new(config);
    check(&mut scene, "@1 1 calls 201", &["Forwarded by 203 Always", "reject 1 NotRegistered", "Ended NotReachable"]);
    assert_eq!(scene.contacts(), 0, "nothing is left of it");
}

#[test]
fn a_forward_abroad_to_help_or_to_nowhere_is_refused_whoever_calls() {
    for to in ["0044207946000", "+44207946000", "011442079460", "0900123456"] {
        for caller in ["203", "1"] {
            let mut scene = Scene::new(branch("202", always(to)));
            check(
                &mut scene,
                &format!("@1 {caller} calls 202"),
                &[&format!("reject {caller} Forbidden"), "Ended Forbidden"],
            );
            assert_eq!(refusals(&scene), [OutwardRefusal::Class], "{to}");
            assert!(!scene.ladder.contains("dial carrier"), "{to}: {}", scene.ladder);
        }
    }
    let mut scene = Scene::new(branch("202", always("112")));
    check(&mut scene, "@1 203 calls 202", &["reject 203 Forbidden"]);
    assert!(!scene.ladder.contains("emergency"), "{}", scene.ladder);
    let mut scene = Scene::new(branch("202", always("99")));
    check(&mut scene, "@1 203 calls 202", &["reject 203 NotFound"]);
}

#[test]
fn a_forwarded_call_counts_against_the_phone_that_forwards_also_after_a_restart() {
    let mut config = branch("202", always("5551001"));
    config.site.dialling.phone_hour_max = 1;
    let mut scene = Scene::new(config.clone());
    // Callers from outside pay nothing: there is no way through for them but this one, and it has an end.
    check(&mut scene, "@1 1 calls 202", &["Forwarded by 202 Always on carrier", "dial carrier/5551001"]);
    check(&mut scene, "@2 2 calls 202", &["reject 2 Forbidden"]);
    assert_eq!(refusals(&scene), [OutwardRefusal::PhoneHour]);
    check(&mut scene, "@3 203 calls 5551009", &["dial carrier/5551009"]);
    let mut next = Scene::new(config);
    next.remember(&scene.facts);
    check(&mut next, "@4 3 calls 202", &["reject 3 Forbidden"]);
}

#[test]
fn an_agent_who_is_given_another_phone_keeps_the_cap_also_after_a_restart() {
    let mut config = branch::config();
    config.site.dialling.phone_hour_max = 1;
    let mut scene = Scene::new(config.clone());
    check(&mut scene, "@1 201 calls 5551001", &["dial carrier/5551001"]);
    config.agents.get_mut(&id("ann")).expect("ann").phone = Some(id("203"));
    let mut next = Scene::new(config);
    next.remember(&scene.facts);
    next.play("@5 203 calls 5551002\n@6 202 calls 5551003");
    assert_eq!(refusals(&next), [OutwardRefusal::AgentHour]);
    assert!(next.ladder.contains("dial carrier/5551003"), "a colleague may: {}", next.ladder);
}

#[test]
fn a_queue_s_call_stays_with_the_agent_s_phone() {
    let mut scene = Scene::new(branch("201", always("5551001")));
    check(
        &mut scene,
        "@1 201 registers\n@1 desk ann sign-in\n@2 desk ann ready\n@3 1 calls 5550200\n@4 1 confirms\n@5 1 presses 1",
        &["dial 201"],
    );
    assert!(!scene.ladder.contains("Forwarded"), "{}", scene.ladder);
}

#[test]
fn a_forward_to_a_number_of_the_house_leads_into_its_flow() {
    let mut scene = Scene::new(branch("202", always("5550100")));
    check(
        &mut scene,
        "@1 203 calls 202\n@1 203 confirms",
        &["Forwarded by 202 Always", "answer 203", "FlowEntered main/hello", "play greeting to 203"],
    );
    check(&mut scene, "@9 203 hangs up", &["Ended Caller"]);
    assert_eq!(scene.contacts(), 0);
}

/// Ann talks to a customer of the queue; then she, or her phone, gives the customer to 202.
const TALK: &str = "@0 desk ann sign-in\n@0 desk ann ready\n@1 alice calls 5550100\n@1 alice confirms\n@6 alice heard\n\
                    @10 201 answers\n@10 recording started";

#[test]
fn a_transfer_goes_where_the_phones_calls_go() {
    let mut scene = Scene::new(branch("202", always("203")));
    check(&mut scene, "@0 203 registers", &[]);
    scene.play(TALK);
    check(
        &mut scene,
        "@12 201 refers 202\n@15 203 answers",
        &[
            "accept the transfer of 201",
            "Forwarded by 202 Always",
            "dial 203 from",
            "Transferred Blind",
            "join alice and 203",
        ],
    );

    let mut scene = Scene::new(branch("202", always("5550200")));
    scene.play(TALK);
    check(&mut scene, "@12 201 refers 202", &["Forwarded by 202 Always", "Transferred Blind", "FlowEntered service/"]);

    // A circle and a busy end are seen before the customer is let go of.
    let mut scene = Scene::new(branch("202", always("201")));
    scene.play(TALK);
    check(&mut scene, "@12 201 refers 202", &["refuse the transfer of 201"]);
}

#[test]
fn a_transfer_that_is_forwarded_outside_is_let_go_paid_and_comes_back() {
    let mut scene = Scene::new(branch("202", always("5551001")));
    scene.play(TALK);
    check(
        &mut scene,
        "@12 201 refers 202\n@15 carrier/5551001 answers",
        &[
            "Forwarded by 202 Always on carrier",
            "dial carrier/5551001",
            "Transferred Blind",
            "join alice and carrier/5551001",
            "Charged 202",
        ],
    );
    check(&mut scene, "@20 alice hangs up", &["Ended Caller"]);

    // Nobody out there takes the customer: the agent has it back, and nothing is paid.
    let mut scene = Scene::new(branch("202", always("5551001")));
    scene.play(TALK);
    check(&mut scene, "@12 201 refers 202\n@13 carrier/5551001 is busy", &["TransferFailed", "join alice and 201"]);
    assert!(!scene.ladder.contains("Charged"), "{}", scene.ladder);
    // A call out that came to nothing is none that runs.
    let mut config = branch("202", always("5551001"));
    config.site.dialling.phone_calls_max = 1;
    let mut scene = Scene::new(config);
    scene.play(TALK);
    scene.play("@12 201 refers 202\n@13 carrier/5551001 is busy");
    check(&mut scene, "@14 203 calls 202", &["dial carrier/5551001"]);

    for to in ["0044207946000", "112"] {
        let mut scene = Scene::new(branch("202", always(to)));
        scene.play(TALK);
        check(&mut scene, "@12 201 refers 202", &["refuse the transfer of 201"]);
        assert!(!scene.ladder.contains("dial carrier"), "{to}: {}", scene.ladder);
    }
}

#[test]
fn a_transferred_customer_goes_on_when_the_phone_does_not_answer() {
    let forward = Forward { no_answer: Some(id("203")), after_s: 8, ..Forward::default() };
    let mut scene = Scene::new(branch("202", forward.clone()));
    scene.play(TALK);
    check(&mut scene, "@11 202 registers\n@11 203 registers\n@12 201 refers 202\n@19", &["dial 202 from"]);
    check(&mut scene, "@21", &["reject 202 NoAnswer", "Forwarded by 202 NoAnswer", "dial 203 from"]);
    check(&mut scene, "@25 203 answers", &["Transferred Blind", "join alice and 203"]);

    // Neither does the next one: back to who gave the customer away.
    let mut scene = Scene::new(branch("202", forward));
    scene.play(TALK);
    check(
        &mut scene,
        "@11 202 registers\n@11 203 registers\n@12 201 refers 202\n@60",
        &["dial 203 from", "TransferFailed", "join alice and 201"],
    );

    let out = Forward { no_answer: Some(id("5551002")), after_s: 8, ..Forward::default() };
    let mut scene = Scene::new(branch("202", out));
    scene.play(TALK);
    check(
        &mut scene,
        "@11 202 registers\n@12 201 refers 202\n@21\n@25 carrier/5551002 answers",
        &[
            "Forwarded by 202 NoAnswer on carrier",
            "dial carrier/5551002",
            "join alice and carrier/5551002",
            "Charged 202",
        ],
    );

    let into = Forward { no_answer: Some(id("5550200")), after_s: 8, ..Forward::default() };
    let mut scene = Scene::new(branch("202", into));
    scene.play(TALK);
    check(&mut scene, "@11 202 registers\n@12 201 refers 202\n@21", &["Transferred Blind", "FlowEntered service/"]);
}

#[test]
fn a_phone_sets_its_forward_by_a_star_code_and_hears_so_when_it_is_stored() {
    let mut scene = Scene::new(branch("203", Forward::default()));
    check(&mut scene, "@1 202 calls *21*5551001", &["SetForward 202 always 5551001", "answer 202"]);
    check(&mut scene, "@2 202 confirms", &["play forward-set to 202"]);
    check(&mut scene, "@4 202 heard", &["hang up 202"]);
    check(&mut scene, "@5 202 calls *21", &["SetForward 202 -", "answer 202"]);
    check(&mut scene, "@6 202 confirms", &["play forward-off to 202"]);
    check(&mut scene, "@12", &["hang up 202"]);
    // Abroad, for help, to nobody, and to itself: nothing is set.
    for (to, why) in [("0044207946000", "Forbidden"), ("112", "Forbidden"), ("99", "NotFound"), ("202", "Forbidden")] {
        let told = &format!("reject 202 {why}");
        check(&mut scene, &format!("@20 202 calls *61*{to}#"), &[told]);
    }
    assert_eq!(scene.ladder.matches("SetForward").count(), 2, "{}", scene.ladder);
    scene.disk_full = true;
    check(&mut scene, "@30 202 calls *67*203", &["SetForward", "reject 202 Fault"]);
    // A caller from outside sets nothing.
    let told = scene.ladder.len();
    scene.play("@40 1 calls *21*5551001");
    assert!(!scene.ladder[told..].contains("SetForward"), "{}", scene.ladder);
    assert_eq!(scene.contacts(), 0);
}

#[test]
fn who_dials_at_the_desk_hears_the_house_s_flow_behind_a_forward() {
    let when = [
        ("@0", always("5550100")),
        ("@0 202 unregisters", Forward { unregistered: Some(id("5550100")), ..Forward::default() }),
        ("@0 203 calls 202", Forward { busy: Some(id("5550100")), ..Forward::default() }),
    ];
    for (before, forward) in when {
        let mut scene = Scene::new(branch("202", forward));
        scene.play(&format!("{before}\n@1 desk ann sign-in\n@2 desk ann dial 202"));
        check(&mut scene, "@3 201 answers", &["Forwarded by 202", "FlowEntered main/hello", "play greeting to 201"]);
    }
}

#[test]
fn a_transfer_that_fails_outside_comes_back_and_goes_nowhere_by_the_sender_s_own_forward() {
    let mut config = branch("202", always("5551001"));
    set(&mut config, "201", Forward { busy: Some(id("203")), ..Forward::default() });
    let mut scene = Scene::new(config);
    // The customer calls the phone itself.
    scene.play("@1 alice calls 201\n@3 201 answers\n@4 201 refers 202");
    check(&mut scene, "@6 carrier/5551001 is busy", &["TransferFailed", "join alice and 201"]);
    assert!(!scene.ladder.contains("Forwarded by 201"), "{}", scene.ladder);
}

#[test]
fn a_phone_sets_so_much_an_hour_and_one_thing_at_a_time() {
    let mut scene = Scene::new(branch("203", Forward::default()));
    // What is so already costs nothing and is said again.
    let told = scene.ladder.len();
    scene.play("@1 202 calls *21\n@1 202 confirms\n@8");
    assert!(
        scene.ladder[told..].contains("play forward-off") && !scene.ladder.contains("SetForward"),
        "{}",
        scene.ladder
    );
    for n in 0..10 {
        let at = 10 + n * 10;
        check(
            &mut scene,
            &format!("@{at} 202 calls *61*55510{n:02}\n@{at} 202 confirms\n@{}", at + 6),
            &["SetForward 202"],
        );
    }
    check(&mut scene, "@200 202 calls *61*203", &["reject 202 Overload"]);
    check(&mut scene, "@201 201 calls *61*203\n@201 201 confirms\n@207", &["SetForward 201"]);
    check(&mut scene, "@3700 202 calls *61*203", &["SetForward 202"]);
    check(&mut scene, "@3701 202 calls *67*203", &["reject 202' Busy"]);
}
