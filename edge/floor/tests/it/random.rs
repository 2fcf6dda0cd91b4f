//! Random days: whatever happens in whatever order, every contact ends once, every offer ends once, every recording is
//! told, nothing is left over, and the records of the day are those of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use floor::InUse;
use model::fact::{Kind, RecordingMissing};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

use crate::{branch, scene::Scene, scenes::everything_adds_up};

const SEEDS: u64 = 300;
const EVENTS: usize = 400;

#[test]
fn random_days_leave_nothing_behind() {
    for seed in 0..SEEDS {
        let mut scene = Scene::new(branch::config());
        scene.forgiving = true;
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let mut at = 0;
        for n in 0..EVENTS {
            at += rng.random_range(0..6);
            let what = random_line(&mut scene, &mut rng, n);
            scene.play(&format!("@{at} {what}"));
        }
        close_the_day(&mut scene, at);
        assert_eq!(scene.floor.in_use(), InUse::default(), "seed {seed}\n{}", scene.ladder);
        everything_adds_up(&scene);
        every_pair_closes(&scene, seed);
    }
}

fn random_line(scene: &mut Scene, rng: &mut ChaCha12Rng, n: usize) -> String {
    let mut pick = |of: &[&str]| of[rng.random_range(0..of.len())].to_owned();
    let who = pick(&["ann", "bob"]);
    let number = pick(&["5550100", "5550200", "5550100", "201", "203", "112", "0301234", "0900123", "999"]);
    let phone = pick(&["201", "202", "203"]);
    let leg = scene.some_leg(n);
    let on_leg = |what: &str| leg.clone().map_or_else(|| "desk ann ready".to_owned(), |leg| format!("{leg} {what}"));
    match pick(&["call", "call", "call", "leg", "leg", "leg", "leg", "leg", "desk", "desk", "site", "box"]).as_str() {
        "call" => match pick(&["in", "in", "in", "phone"]).as_str() {
            "in" => format!("caller{n} calls {number}"),
            _ => format!("{phone} calls {number}"),
        },
        "leg" => {
            let keys = pick(&["presses 1", "presses 2", "presses 9"]);
            let more = pick(&["answers", "answers", "answers", "heard", "rings", "hangs up", "is busy", "is lost"]);
            let rare = pick(&["does not answer", "holds", "comes back", "refers 203", "refers 5550200", "open", &keys]);
            on_leg(&pick(&[&more, &more, &more, &rare]))
        }
        "desk" => {
            let ask = pick(&["sign-in", "ready", "ready", "not-ready", "wrapped-up", "hang-up", "hold", "resume"]);
            let rare = pick(&["sign-out", "dial 0301234", "dial 203", "transfer 203", "transfer 5550100"]);
            let company = pick(&[
                "consult 203",
                "consult 202",
                "consult end",
                "confer",
                "listen to ann",
                "whisper to bob",
                "barge in on ann",
                "leave the talk",
            ]);
            format!("desk {who} {}", pick(&[&ask, &ask, &ask, &rare, &company, &company]))
        }
        "site" => {
            let said = pick(&["asks sales", "asks repairs", "rings", "accepts", "accepts", "refuses", "ends"]);
            let told = scene.overflow_known();
            match pick(&["link up", "link up", "link down", "south", "south", "south", "path lost"]).as_str() {
                "south" if told || said.starts_with("asks") => format!("south {said}"),
                "path lost" if told => "path lost".to_owned(),
                "link down" => "link down".to_owned(),
                _ => "link up".to_owned(),
            }
        }
        _ => {
            let state = pick(&["started", "started", "sealed", "disk", "lost"]);
            let change = pick(&["without agent bob", "main to repairs", "main to sales", "without queue repairs"]);
            match pick(&["recording", "recording", "recording", "configure", "un", "re"]).as_str() {
                "recording" if scene.recording_known() => format!("recording {state}"),
                "configure" => format!("configure {change}"),
                "un" => format!("{phone} unregisters"),
                _ => format!("{phone} registers"),
            }
        }
    }
}

/// Everybody goes home.
fn close_the_day(scene: &mut Scene, at: u64) {
    for n in 0.. {
        let Some(leg) = scene.some_leg(n) else { break };
        scene.play(&format!("@{at} {leg} hangs up"));
    }
    scene.play(&format!("@{at} link down\n@{} desk ann sign-out\n@{} desk bob sign-out", at + 100, at + 100));
    scene.seal_all();
}

fn every_pair_closes(scene: &Scene, seed: u64) {
    let (mut offers, mut wrap_ups) = (BTreeMap::new(), BTreeSet::new());
    let (mut answered, mut recorded) = (BTreeSet::new(), BTreeSet::new());
    for fact in &scene.facts {
        let at = || format!("seed {seed} {fact:?}\n{}", scene.ladder);
        match &fact.kind {
            Kind::Offered { agent, .. } => assert_eq!(offers.insert(agent.clone(), fact.contact), None, "{}", at()),
            Kind::OfferEnded { agent, .. } => assert_eq!(offers.remove(agent), Some(fact.contact), "{}", at()),
            Kind::WrapUpStarted { agent } => assert!(wrap_ups.insert(agent.clone()), "{}", at()),
            Kind::WrapUpEnded { agent } => assert!(wrap_ups.remove(agent), "{}", at()),
            Kind::OverflowAnswered { .. } => drop(answered.insert(fact.contact)),
            Kind::RecordingStarted { .. } | Kind::RecordingSealed { .. } => drop(recorded.insert(fact.contact)),
            Kind::RecordingMissing { reason } if *reason != RecordingMissing::NotWanted => {
                recorded.insert(fact.contact);
            }
            _ => {}
        }
    }
    assert!(offers.is_empty() && wrap_ups.is_empty(), "seed {seed}: {offers:?} {wrap_ups:?}\n{}", scene.ladder);
    let untold: Vec<_> = answered.difference(&recorded).collect();
    assert!(untold.is_empty(), "seed {seed}: no word of a recording {untold:?}\n{}", scene.ladder);
}
