//! Walks: `> input` and what came out of it.

use ivr::{
    memory::Visit,
    run::{End, Input, Output, Run},
};
use model::{
    flow::Flow,
    sound::{Sound, Speech},
};

use crate::flow::{flow, site};

const MAIN: &str = "\
    hello play greeting door
    door open office menu closed
    menu menu which 5s 2 lost 1=sales 2=repairs
    lost play goodbye end
    closed play closed end
    sales queue sales
    repairs queue repairs
    end hangup";

#[track_caller]
fn check(document: &str, ladder: &str) {
    walk(&[("main", flow(document))], "86131", ladder);
}

/// `caller` calls the flow `main` of these.
#[track_caller]
pub fn walk(flows: &[(&str, Flow)], caller: &str, ladder: &str) {
    let visit = Visit { caller: caller.into(), called: "800".into(), inside: false };
    let mut run = Run::start(site(flows), "main".parse().expect("a slug"), visit);
    let mut told = drain(&mut run);
    for line in ladder.lines().filter_map(|line| line.trim().strip_prefix("> ")) {
        told += &format!("> {line}\n");
        run.handle_input(read(line));
        told += &drain(&mut run);
    }
    let words =
        |text: &str| text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
    assert_eq!(words(&told), words(ladder));
}

fn read(line: &str) -> Input {
    match line {
        "played" => Input::Played,
        "timeout" => Input::Timeout,
        "open" | "yes" => Input::Answer(true),
        "closed" | "no" => Input::Answer(false),
        "nothing" => Input::Found(None),
        "not taken" => Input::NotTaken,
        "served" => Input::Served,
        "promised" => Input::Promised(true),
        "not promised" => Input::Promised(false),
        "kept" => Input::Left(true),
        "not kept" => Input::Left(false),
        found if found.starts_with('{') => Input::Found(Some(serde_json::from_str(found).expect("values"))),
        digit => Input::Digit(digit.chars().next().expect("a key")),
    }
}

fn drain(run: &mut Run) -> String {
    let mut told = String::new();
    while let Some(output) = run.poll_output() {
        told += &match output {
            Output::StepEntered { flow, step } if flow.as_str() == "main" => format!("{step}: "),
            Output::StepEntered { flow, step } => format!("{flow}/{step}: "),
            Output::Language(language) => format!("[in {language}] "),
            Output::Play { sounds } => {
                format!("  play [{}]\n", sounds.iter().map(heard).collect::<Vec<_>>().join(", "))
            }
            Output::Hush => "hush ".to_owned(),
            Output::Collect { wait } => format!("  collect {} s\n", wait.as_secs()),
            Output::Ask(model::flow::Test::Open { hours }) => format!("  ask {hours}\n"),
            Output::Ask(test) => format!("  ask {}\n", serde_json::to_string(&test).expect("a test")),
            Output::LookUp(ask) => {
                let send = serde_json::to_string(&ask.send).expect("fields");
                format!("  look up {} {send} {} ms\n", ask.url, ask.wait.as_millis())
            }
            Output::Marked { mark, best } => format!("  {mark} of {best} "),
            Output::Consented { given } => format!("  consents: {given} "),
            Output::Ring { phone, wait } => format!("  ring {phone} {} s\n", wait.as_secs()),
            Output::Queue { queue, .. } => format!("  queue {queue}\n"),
            Output::CallBack { queue, number, .. } => format!("  call back {number:?} by {queue}\n"),
            Output::Message { queue } => format!("  take a message for {queue}"),
            Output::MessageEnds => "the message ends\n".to_owned(),
            Output::HangUp(end) => format!("  hang up: {end:?}\n"),
        };
    }
    told
}

fn heard(sound: &Sound) -> String {
    match sound {
        Sound::Prompt(prompt) => prompt.to_string(),
        Sound::Speech(Speech { language, text, personal }) => {
            format!("{language} {text:?}{}", if *personal { " personal" } else { "" })
        }
    }
}

#[test]
fn a_caller_hears_the_greeting_and_presses_a_key() {
    check(
        MAIN,
        "hello:  play [greeting]
> played
door:  ask office
> open
menu:  play [which]
> played
  collect 5 s
> 1
sales:  queue sales",
    );
}

#[test]
fn a_key_into_the_menu_silences_it_and_a_key_into_an_announcement_does_nothing() {
    check(
        MAIN,
        "hello:  play [greeting]
> 1
> played
door:  ask office
> open
menu:  play [which]
> 2
hush repairs:  queue repairs",
    );
}

#[test]
fn wrong_keys_and_silence_are_two_tries_and_then_otherwise() {
    check(
        MAIN,
        "hello:  play [greeting]
> played
door:  ask office
> open
menu:  play [which]
> 9
hush   play [which]
> played
  collect 5 s
> timeout
lost:  play [goodbye]
> timeout
> played
end:  hang up: Flow
> played",
    );
}

#[test]
fn behind_a_closed_door_the_caller_hears_why() {
    check(
        MAIN,
        "hello:  play [greeting]
> played
door:  ask office
> closed
closed:  play [closed]
> played
end:  hang up: Flow",
    );
}

#[test]
fn a_road_into_nothing_ends_and_says_where() {
    check(
        "hello play greeting nowhere",
        "hello:  play [greeting]
> played
  hang up: Dangling(\"nowhere\")",
    );
}

#[test]
fn a_circle_that_waits_for_nobody_is_cut_at_its_limit() {
    let mut run = begin("a open office b b\nb play x a");
    let (mut steps, mut end) = (0, None);
    while end.is_none() {
        run.handle_input(Input::Answer(true));
        run.handle_input(Input::Played);
        while let Some(output) = run.poll_output() {
            match output {
                Output::StepEntered { .. } => steps += 1,
                Output::HangUp(why) => end = Some(why),
                _ => {}
            }
        }
    }
    assert_eq!((steps, end), (ivr::run::CIRCLE_MAX, Some(End::Circle("a".parse().expect("a slug")))));
    assert!(run.has_ended());
}

#[test]
fn a_caller_who_presses_keys_for_ever_is_cut_at_the_limit_of_a_run() {
    let mut run = begin("a menu which 1s 1 a 1=a");
    let mut rounds = 0;
    while !run.has_ended() {
        run.handle_input(Input::Digit('1'));
        rounds += 1;
    }
    assert_eq!(rounds, ivr::run::STEPS_MAX);
}

fn begin(document: &str) -> Run {
    Run::start(site(&[("main", flow(document))]), "main".parse().expect("a slug"), Visit::default())
}
