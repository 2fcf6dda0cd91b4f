//! Flows in a few words: `hello play greeting menu`, `menu menu which 5s 2 lost 1=sales 2=door`.

use std::collections::BTreeMap;

use model::{
    StepId,
    flow::{Flow, Step},
};

pub fn step(text: &str) -> StepId {
    text.parse().expect("a slug")
}

/// The first line's step is the start.
pub fn flow(text: &str) -> Flow {
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .filter(|words: &Vec<&str>| !words.is_empty())
        .collect();
    Flow {
        label: "test".into(),
        language: None,
        variables: BTreeMap::new(),
        shown: BTreeMap::new(),
        start: step(lines[0][0]),
        steps: lines.iter().map(|words| (step(words[0]), read(&words[1..]))).collect::<BTreeMap<_, _>>(),
    }
}

fn read(words: &[&str]) -> Step {
    match words[0] {
        "play" => Step::Play { prompt: words[1].parse().expect("a slug"), next: step(words[2]) },
        "menu" => Step::Menu {
            prompt: words[1].parse().expect("a slug"),
            wait_s: words[2].trim_end_matches('s').parse().expect("seconds"),
            tries: words[3].parse().expect("a number"),
            otherwise: step(words[4]),
            choices: words[5..]
                .iter()
                .map(|choice| (choice.chars().next().expect("a key"), step(&choice[2..])))
                .collect(),
        },
        "open" => {
            Step::Open { hours: words[1].parse().expect("a slug"), then: step(words[2]), otherwise: step(words[3]) }
        }
        "queue" => Step::Queue {
            queue: words[1].parse().expect("a slug"),
            asks: Default::default(),
            after: None,
            otherwise: None,
        },
        "hangup" => Step::Hangup,
        other => panic!("unknown step {other}"),
    }
}

/// A site of these flows, `main` among them.
pub fn site(flows: &[(&str, Flow)]) -> std::sync::Arc<model::config::Config> {
    let flows = flows.iter().map(|(id, flow)| (id.parse().expect("a slug"), flow.clone())).collect();
    let site = serde_json::json!({ "id": "a", "label": "A", "time_zone": "UTC", "emergency": [], "outward": null });
    std::sync::Arc::new(model::config::Config {
        site: serde_json::from_value(site).expect("a site"),
        queues: BTreeMap::new(),
        agents: BTreeMap::new(),
        phones: BTreeMap::new(),
        trunks: BTreeMap::new(),
        numbers: BTreeMap::new(),
        flows,
        hours: BTreeMap::new(),
        places: BTreeMap::new(),
    })
}
