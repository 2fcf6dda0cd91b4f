//! Flows with variables, questions to others, and flows within flows, from the YAML that people write.

use crate::walks::walk;

fn yaml(text: &str) -> model::flow::Flow {
    flow::text::parse(text).expect("a flow")
}

const MAIN: &str = "
label: Main
start: who
variables: { account: '', gold: false, level: 0 }
steps:
  who: { do: if, all: [{ is: withheld }], then: typed, otherwise: known }
  typed: { do: digits, prompt: account, into: account, min: 3, max: 5, wait_s: 5, tries: 2, next: ask, otherwise: end }
  known: { do: sub_flow, flow: greet, next: ask }
  ask:
    do: look_up
    url: http://crm.example/customer
    send: { phone: caller, account: { variable: account } }
    take: { gold: is_gold, level: level }
    wait_ms: 1500
    next: judge
    otherwise: plain
  judge: { do: if, all: [{ is: equal, variable: gold, to: true }, { is: at_least, variable: level, number: 3 }, { is: served, queue: gold }], then: gold, otherwise: plain }
  gold: { do: queue, queue: gold, after: thanks }
  thanks: { do: survey, prompt: how-was-it, best: 5, wait_s: 4, next: end }
  plain: { do: transfer, phone: '101', ring_s: 20, otherwise: end }
  end: { do: hangup }
";
const GREET: &str = "
label: Greet
start: hello
variables: { account: '' }
steps:
  hello: { do: say, parts: [{ prompt: hello }, { digits: account }], next: keep }
  keep: { do: set, variable: account, to: known, next: back }
  back: { do: return }
";

#[track_caller]
fn check(caller: &str, ladder: &str) {
    walk(&[("main", yaml(MAIN)), ("greet", yaml(GREET))], caller, ladder);
}

#[test]
fn who_is_not_taken_or_promised_a_call_back_goes_another_way() {
    let flow = "
label: Main
start: to-sales
variables: { number: '' }
steps:
  to-sales: { do: queue, queue: sales, otherwise: number }
  number: { do: digits, prompt: which, into: number, min: 2, max: 2, wait_s: 5, tries: 1, next: back, otherwise: bye }
  back: { do: callback, queue: sales, number: number, next: thanks, otherwise: bye }
  thanks: { do: play, prompt: thanks, next: bye }
  bye: { do: hangup }
";
    let until = "to-sales: queue sales
> served
> not taken
number: play [which]
> 4
hush collect 5 s
> 2
back: call back Some(\"42\") by sales";
    let main = || yaml(flow);
    walk(&[("main", main())], "", &format!("{until}\n> promised\nthanks: play [thanks]"));
    walk(&[("main", main())], "", &format!("{until}\n> not promised\nbye: hang up: Flow"));
}

#[test]
fn a_known_caller_is_greeted_by_a_sub_flow_looked_up_and_sent_to_whom_serves_gold() {
    check(
        "86131",
        r#"who: known: greet/hello: play [hello]
> played
greet/keep: greet/back: ask: look up http://crm.example/customer {"account":"known","phone":"86131"} 1500 ms
> {"gold":true,"level":3}
judge: ask {"is":"served","queue":"gold"}
> yes
gold: queue gold
> served
thanks: play [how-was-it]
> 4
hush 4 of 5 end: hang up: Flow"#,
    );
}

#[test]
fn digits_end_at_their_number_at_the_hash_or_by_silence_and_too_few_are_asked_for_again() {
    check(
        "",
        r#"who: typed: play [account]
> 1
hush collect 5 s
> 2
collect 5 s
> #
play [account]
> played
collect 5 s
> 1
collect 5 s
> 2
collect 5 s
> 3
collect 5 s
> timeout
ask: look up http://crm.example/customer {"account":"123","phone":""} 1500 ms
> nothing
plain: ring 101 20 s
> not taken
end: hang up: Flow"#,
    );
}

#[test]
fn an_answer_of_another_type_changes_nothing_and_falls_back() {
    check(
        "86131",
        r#"who: known: greet/hello: play [hello]
> played
greet/keep: greet/back: ask: look up http://crm.example/customer {"account":"known","phone":"86131"} 1500 ms
> {"gold":"yes","level":3}
plain: ring 101 20 s"#,
    );
}

#[test]
fn a_mark_out_of_range_is_no_mark() {
    let survey = "{ label: S, start: s, steps: { s: { do: survey, prompt: p, best: 5, wait_s: 4, next: e }, e: { do: hangup } } }";
    walk(&[("main", yaml(survey))], "", "s: play [p]\n> 6\nhush e: hang up: Flow");
    walk(&[("main", yaml(survey))], "", "s: play [p]\n> 0\nhush e: hang up: Flow");
}

#[test]
fn who_is_asked_for_consent_agrees_refuses_or_says_nothing() {
    let asks = "{ label: C, start: s, steps: { s: { do: consent, prompt: p, agree: '1', refuse: '9', wait_s: 4, tries: 2, next: yes, otherwise: no }, \
                yes: { do: hangup }, no: { do: hangup } } }";
    walk(&[("main", yaml(asks))], "", "s: play [p]\n> 1\nhush   consents: true yes: hang up: Flow");
    walk(&[("main", yaml(asks))], "", "s: play [p]\n> 9\nhush   consents: false no: hang up: Flow");
    let silent = "s: play [p]\n> played\ncollect 4 s\n> timeout\nplay [p]\n> 2\nhush no: hang up: Flow";
    walk(&[("main", yaml(asks))], "", silent);
}

#[test]
fn sub_flows_end_at_their_depth_and_one_that_is_gone_says_so() {
    let within = |flow: &str| {
        yaml(&format!(
            "{{ label: L, start: a, steps: {{ a: {{ do: sub_flow, flow: {flow}, next: b }}, b: {{ do: return }} }} }}"
        ))
    };
    walk(
        &[("main", within("again")), ("again", within("again"))],
        "",
        "a: again/a: again/a: again/a: again/a: again/a: hang up: TooDeep(again)",
    );
    walk(&[("main", within("gone"))], "", "a: hang up: Dangling(\"gone\")");
}

#[test]
fn a_message_ends_by_a_key_or_by_its_time_and_the_flow_goes_on() {
    let main = || {
        yaml(
            "
label: Main
start: say
steps:
  say: { do: voicemail, queue: sales, max_s: 30, next: thanks, otherwise: bye }
  thanks: { do: play, prompt: thanks, next: bye }
  bye: { do: hangup }
",
        )
    };
    let begun = "say: take a message for sales collect 30 s";
    for ends in ["7", "timeout"] {
        let ladder =
            format!("{begun}\n> {ends}\nthe message ends\n> kept\nthanks: play [thanks]\n> played\nbye: hang up: Flow");
        walk(&[("main", main())], "", &ladder);
    }
    walk(&[("main", main())], "", &format!("{begun}\n> not kept\nbye: hang up: Flow"));
}

#[test]
fn words_say_what_variables_hold_and_are_then_about_one_caller() {
    let flow = "
label: Main
start: hello
variables: { name: Ann, order: 4711, gold: false, nothing: '' }
steps:
  hello: { do: say, parts: [{ speech: { language: en, text: 'Good morning.' } }, { prompt: logo }, { speech: { language: cmn, text: '{name}，订单{order}{gold}' } }], next: silent }
  silent: { do: say, parts: [{ speech: { language: en, text: '{nothing} ' } }], next: bye }
  bye: { do: hangup }
";
    let ladder = "hello:  play [en \"Good morning.\", logo, cmn \"Ann，订单4711\" personal]
> played
silent: bye:  hang up: Flow";
    walk(&[("main", yaml(flow))], "5550100", ladder);
}

/// "Für Deutsch drücken Sie die Zwei": a sub-flow is the language that was chosen, and what follows keeps it.
#[test]
fn who_enters_a_flow_of_a_language_is_spoken_to_in_it_from_there_on() {
    let main = "
label: Main
language: en
start: which
steps:
  which: { do: menu, prompt: which, choices: { '2': german }, wait_s: 5, tries: 1, otherwise: sales }
  german: { do: sub_flow, flow: german, next: sales }
  sales: { do: queue, queue: sales }
";
    let german = "
label: Deutsch
language: de
start: hello
steps:
  hello: { do: play, prompt: hello, next: back }
  back: { do: return }
";
    walk(
        &[("main", yaml(main)), ("german", yaml(german))],
        "",
        "[in en] which: play [which]
> 2
hush german: [in de] german/hello: play [hello]
> played
german/back: sales: queue sales",
    );
}
