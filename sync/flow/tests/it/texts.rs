//! Print and parse are one another's opposite; what is not a flow is refused.

use std::collections::{BTreeMap, BTreeSet};

use flow::text::{Error, TEXT_BYTES_MAX, parse, print};
use model::flow::{Flow, Part, Source, Step, Test, Value};
use proptest::prelude::*;

fn slug() -> impl Strategy<Value = String> {
    // Words that YAML would take for something else are names too.
    prop_oneof![
        "[a-z0-9][a-z0-9-]{0,12}",
        Just("yes".into()),
        Just("null".into()),
        Just("0x1f".into()),
        Just("1e3".into())
    ]
}

fn id<T: std::str::FromStr + std::fmt::Debug>() -> impl Strategy<Value = T> {
    slug().prop_filter_map("a slug", |text| text.parse().ok())
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Flag),
        any::<i64>().prop_map(Value::Number),
        prop_oneof![
            "\\PC{0,20}",
            Just("true".to_owned()),
            Just("~".to_owned()),
            Just("12".to_owned()),
            Just(" - a: b # c".to_owned())
        ]
        .prop_map(Value::Text),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    prop_oneof![
        Just(Test::Withheld),
        Just(Test::Inside),
        proptest::collection::btree_set("\\+?[0-9]{1,6}", 0..3).prop_map(|with| Test::CallerBegins { with }),
        id().prop_map(|hours| Test::Open { hours }),
        (id(), any::<u32>()).prop_map(|(queue, more_than)| Test::Waiting { queue, more_than }),
        (id(), any::<u32>()).prop_map(|(queue, than_s)| Test::WaitLonger { queue, than_s }),
        id().prop_map(|queue| Test::Served { queue }),
        (id(), value()).prop_map(|(variable, to)| Test::Equal { variable, to }),
        (id(), any::<i64>()).prop_map(|(variable, number)| Test::AtLeast { variable, number }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let part = prop_oneof![id().prop_map(Part::Prompt), id().prop_map(Part::Digits)];
    let source = prop_oneof![Just(Source::Caller), Just(Source::Called), id().prop_map(Source::Variable)];
    let key = proptest::sample::select("0123456789*#".chars().collect::<Vec<_>>());
    prop_oneof![
        (proptest::collection::vec(part, 0..4), id()).prop_map(|(parts, next)| Step::Say { parts, next }),
        (id(), proptest::collection::btree_map(key, id(), 0..4), any::<u32>(), any::<u32>(), id()).prop_map(
            |(prompt, choices, wait_s, tries, otherwise)| Step::Menu { prompt, choices, wait_s, tries, otherwise }
        ),
        (id(), id(), any::<u8>(), any::<u8>(), id(), id()).prop_map(|(prompt, into, min, max, next, otherwise)| {
            Step::Digits { prompt, into, min, max, wait_s: 5, tries: 2, next, otherwise }
        }),
        (proptest::collection::vec(test(), 0..4), id(), id()).prop_map(|(all, then, otherwise)| Step::If {
            all,
            then,
            otherwise
        }),
        (id(), value(), id()).prop_map(|(variable, to, next)| Step::Set { variable, to, next }),
        (
            "\\PC{0,30}",
            proptest::collection::btree_map("\\PC{0,8}", source, 0..3),
            proptest::collection::btree_map(id(), "\\PC{0,8}", 0..3),
            id(),
            id()
        )
            .prop_map(|(url, send, take, next, otherwise)| Step::LookUp {
                url,
                send,
                take,
                wait_ms: 500,
                next,
                otherwise
            }),
        (id(), id()).prop_map(|(flow, next)| Step::SubFlow { flow, next }),
        (id(), proptest::option::of(id()), proptest::option::of(id())).prop_map(|(queue, after, otherwise)| {
            Step::Queue { queue, asks: Default::default(), after, otherwise }
        }),
        Just(Step::Return),
        Just(Step::Hangup),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back_as_it_was(
        label in "\\PC{0,30}",
        language in proptest::option::of(id()),
        start in id(),
        variables in proptest::collection::btree_map(id(), value(), 0..4),
        steps in proptest::collection::btree_map(id(), step(), 0..6),
    ) {
        let shown = variables.keys().map(|name: &model::VariableId| (name.clone(), format!("{name}: shown"))).collect();
        let flow = Flow { label, language, start, variables, shown, steps };
        let text = print(&flow).expect("a text");
        prop_assert_eq!(parse(&text), Ok(flow), "{}", text);
    }
}

#[test]
fn what_is_no_flow_is_refused_and_says_where() {
    let refused = |text: &str| match parse(text) {
        Err(Error::NotAFlow(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(refused("label: x\nstart: a\nsteps: { a: { do: dance } }").contains("dance"));
    assert!(refused("label: x\nstart: A b\nsteps: {}").contains("an id has"));
    assert!(
        refused("label: x\nstart: a\n  steps: {").contains("line 3"),
        "{}",
        refused("label: x\nstart: a\n  steps: {")
    );
    refused("");
    assert_eq!(parse(&" ".repeat(TEXT_BYTES_MAX + 1)), Err(Error::TooLong));
}

#[test]
fn a_text_that_would_unfold_to_millions_is_refused() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in "bcdefghi".chars().zip("abcdefgh".chars()) {
        bomb += &format!("{name}: &{name} [*{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}]\n");
    }
    assert!(parse(&bomb).is_err());
    assert!(parse(&format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000))).is_err());
}

#[test]
fn flows_of_today_are_read_as_they_stand() {
    let text = r#"{"label":"Main","start":"a","steps":{"a":{"do":"play","prompt":"p","next":"b"},"b":{"do":"open","hours":"h","then":"c","otherwise":"d"},"c":{"do":"queue","queue":"q"},"d":{"do":"hangup"}}}"#;
    let flow: Flow = serde_json::from_str(text).expect("a flow");
    assert_eq!(serde_json::to_value(&flow).expect("JSON").get("variables"), None);
    assert_eq!(parse(text), Ok(flow.clone()));
    assert_eq!(flow.variables, BTreeMap::new());
    assert!(flow::check(&flow).is_empty());
    let _: BTreeSet<&model::FlowId> = flow::refers(&flow);
}
