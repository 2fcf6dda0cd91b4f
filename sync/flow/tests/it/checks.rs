//! Faults by name, each with the road to it.

use flow::{check, ends, text::parse};

fn said(text: &str) -> String {
    let flow = parse(text).expect("a flow");
    let mut said = String::new();
    for found in check(&flow) {
        let at = found.at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let fault = serde_json::to_string(&found.fault).expect("a fault");
        let road: Vec<&str> = found.road.iter().map(model::StepId::as_str).collect();
        let grave = if found.grave { "!" } else { "" };
        said += &format!("{at}{grave} {fault} by {}\n", road.join(" "));
    }
    said
}

#[track_caller]
fn finds(steps: &str, expected: &[&str]) {
    let text = format!("{{ label: T, start: a, variables: {{ n: 1, t: x }}, steps: {{ {steps} }} }}");
    let expected: String = expected.iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(said(&text), expected, "{steps}");
}

#[test]
fn each_fault_is_found_with_its_road_and_nothing_else() {
    let menu = |next: &str| {
        format!("{{ do: menu, prompt: p, choices: {{ '1': {next} }}, wait_s: 5, tries: 2, otherwise: {next} }}")
    };
    finds("a: { do: play, prompt: p, next: b }, b: { do: queue, queue: q }", &[]);
    finds(&format!("a: {}, b: {{ do: hangup }}", menu("b")), &[]);
    finds("a: { do: play, prompt: p, next: b }", &[r#"a! {"fault":"dangling","to":"b"} by a"#]);
    finds("a: { do: hangup }, b: { do: hangup }", &[r#"b {"fault":"unreachable"} by "#]);
    finds(
        "a: { do: play, prompt: p, next: b }, b: { do: play, prompt: p, next: c }, c: { do: play, prompt: p, next: b }",
        &[r#"a {"fault":"no_way_out"} by a"#, r#"b! {"fault":"circle","steps":["b","c"]} by a b"#],
    );
    // A menu waits, and yet nobody leaves it but by hanging up.
    finds(&format!("a: {}", menu("a")), &[r#"a {"fault":"no_way_out"} by a"#]);
    finds(
        "a: { do: look_up, url: 'http://x/', wait_ms: 99, next: a, otherwise: a }",
        &[
            r#"a! {"fault":"circle","steps":["a"]} by a"#,
            r#"a! {"fault":"out_of_bounds","field":"wait_ms","min":100,"max":10000} by a"#,
        ],
    );
    finds(
        "a: { do: menu, prompt: p, choices: { x: b }, wait_s: 61, tries: 11, otherwise: b }, b: { do: hangup }",
        &[
            r#"a! {"fault":"key","key":"x"} by a"#,
            r#"a! {"fault":"out_of_bounds","field":"tries","min":1,"max":10} by a"#,
            r#"a! {"fault":"out_of_bounds","field":"wait_s","min":1,"max":60} by a"#,
        ],
    );
    let asks = |keys: &str| {
        format!(
            "a: {{ do: consent, prompt: p, {keys}, wait_s: 5, tries: 2, next: b, otherwise: b }}, b: {{ do: hangup }}"
        )
    };
    finds(&asks("agree: '1', refuse: '1'"), &[r#"a! {"fault":"key","key":"1"} by a"#]);
    finds(&asks("agree: '1', refuse: x"), &[r#"a! {"fault":"key","key":"x"} by a"#]);
    finds(&asks("agree: '1', refuse: '#'"), &[]);
}

#[test]
fn what_agents_are_shown_is_a_variable_with_a_name() {
    let shown = |shown: &str| {
        said(&format!(
            "{{ label: T, start: a, variables: {{ n: 1 }}, shown: {shown}, steps: {{ a: {{ do: hangup }} }} }}"
        ))
    };
    assert_eq!(shown("{ n: Tries }"), "");
    assert!(shown("{ m: Tries }").contains(r#""fault":"no_variable","variable":"m""#));
    for bad in ["{ n: '' }".to_owned(), format!("{{ n: '{}' }}", "x".repeat(61))] {
        assert!(shown(&bad).contains(r#""fault":"out_of_bounds","field":"shown""#), "{bad}");
    }
}

#[test]
fn values_have_types_and_variables_must_be_there() {
    finds(
        "a: { do: set, variable: n, to: yes-please, next: b }, b: { do: set, variable: m, to: 1, next: c }, c: { do: hangup }",
        &[r#"a! {"fault":"other_type","variable":"n"} by a"#, r#"b! {"fault":"no_variable","variable":"m"} by a b"#],
    );
    finds(
        "a: { do: digits, prompt: p, into: n, min: 3, max: 21, wait_s: 5, tries: 1, next: b, otherwise: b }, b: { do: hangup }",
        &[
            r#"a! {"fault":"other_type","variable":"n"} by a"#,
            r#"a! {"fault":"out_of_bounds","field":"max","min":1,"max":20} by a"#,
        ],
    );
    finds(
        "a: { do: if, all: [{ is: at_least, variable: t, number: 1 }], then: b, otherwise: b }, b: { do: hangup }",
        &[r#"a! {"fault":"other_type","variable":"t"} by a"#],
    );
    finds(
        "a: { do: if, all: [], then: b, otherwise: b }, b: { do: say, parts: [], next: c }, c: { do: hangup }",
        &[r#"a {"fault":"empty"} by a"#, r#"b {"fault":"empty"} by a b"#],
    );
    finds(
        "a: { do: if, all: [{ is: caller_begins, with: ['+86', 12x] }], then: b, otherwise: b }, b: { do: hangup }",
        &[r#"a! {"fault":"out_of_bounds","field":"with","min":1,"max":15} by a"#],
    );
}

#[test]
fn a_flow_has_at_most_so_many_steps() {
    let steps = |count: usize| {
        let mut steps: Vec<String> =
            (0..count - 1).map(|n| format!("s{n}: {{ do: play, prompt: p, next: s{} }}", n + 1)).collect();
        steps.push(format!("s{}: {{ do: hangup }}", count - 1));
        format!("{{ label: T, start: s0, steps: {{ {} }} }}", steps.join(", "))
    };
    assert_eq!(said(&steps(flow::STEPS_MAX)), "");
    assert!(said(&steps(flow::STEPS_MAX + 1)).contains("out_of_bounds"));
}

#[test]
fn every_end_is_named_with_the_shortest_road_to_it() {
    let flow = parse(
        "{ label: T, start: a, steps: {
            a: { do: menu, prompt: p, choices: { '1': b, '2': c }, wait_s: 5, tries: 2, otherwise: d },
            b: { do: queue, queue: q }, c: { do: play, prompt: p, next: b }, d: { do: play, prompt: p, next: e }, e: { do: hangup } } }",
    )
    .expect("a flow");
    let roads: Vec<String> = ends(&flow)
        .iter()
        .map(|end| end.road.iter().map(model::StepId::as_str).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(roads, ["a b", "a d e"]);
}

#[test]
fn words_are_some_and_their_braces_hold_variables() {
    let say = |text: &str| {
        format!(
            "a: {{ do: say, parts: [{{ speech: {{ language: en, text: '{text}' }} }}], next: b }}, b: {{ do: hangup }}"
        )
    };
    finds(&say("You called {n} times."), &[]);
    finds(&say(" "), &[r#"a {"fault":"empty"} by a"#]);
    finds(&say("You called {m} times."), &[r#"a! {"fault":"no_variable","variable":"m"} by a"#]);
    finds(&say("You called {n times."), &[r#"a! {"fault":"braces","text":"You called {n times."} by a"#]);
    let long = r#"a! {"fault":"out_of_bounds","field":"text","min":0,"max":300} by a"#;
    finds(&say(&"x".repeat(301)), &[long]);
    finds(&say(&"x".repeat(300)), &[]);
}
