//! What a caller hears of the box itself: prompts in the flow's language, from a file of Opus, and the country's own tones.

use e2e::stage::{self, PATIENCE};
use harness::{
    baresip::{Account, Phone},
    company::{Branch, BranchPlan, PHONE_PASSWORD},
    proof,
};
use serde_json::json;

/// 0.7 s of 1 kHz, as opusenc writes it.
const GERMAN: &[u8] = include_bytes!("../../../../edge/media/src/prompt/fixtures/mono.opus");

/// Amplitude of the sine of this frequency in each 100 ms.
#[allow(clippy::cast_precision_loss)]
fn sine(samples: &[f32], rate: usize, hertz: f32) -> Vec<f32> {
    let part = |part: &[f32]| {
        let (mut real, mut imaginary) = (0.0_f32, 0.0_f32);
        for (n, sample) in part.iter().enumerate() {
            let angle = n as f32 * hertz * std::f32::consts::TAU / rate as f32;
            real += sample * angle.cos();
            imaginary += sample * angle.sin();
        }
        real.hypot(imaginary) * 2.0 / part.len() as f32
    };
    samples.chunks_exact(rate / 10).map(part).collect()
}

#[test]
fn a_german_flow_in_the_united_states_speaks_german_from_opus_and_rings_in_440_and_480_hz() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    std::fs::create_dir(prompts.join("de")).expect("a folder");
    std::fs::write(prompts.join("de/greeting.opus"), GERMAN).expect("a prompt");
    let carrier = stage::carrier_port();
    let mut plan = BranchPlan::example("branch-a", carrier).expect("a plan");
    plan.config["site"]["dialling"] = json!({ "country": "1" });
    plan.config["flows"]["german"] = json!({
        "label": "Deutsch", "language": "de-at", "start": "hello",
        "steps": {
            "hello": { "do": "play", "prompt": "greeting", "next": "ring" },
            "ring": { "do": "transfer", "phone": "101", "ring_s": 9, "otherwise": "end" },
            "end": { "do": "hangup" }
        }
    });
    plan.config["numbers"]["4002"] = json!("german");
    let branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
    // A phone that rings and is not answered.
    let microphone = folder.path().join("microphone.wav");
    proof::speak("hello", 120, &microphone).expect("a voice");
    let account = Account::Phone {
        user: "101",
        password: PHONE_PASSWORD,
        domain: &branch.domain,
        registrar: &branch.sip,
        transport: "udp",
    };
    let phone = Phone::start(&folder.path().join("phone-101"), &account, &microphone, false).expect("a phone");
    phone.registered(PATIENCE).expect("registered");

    let mut caller = stage::caller(&folder.path().join("caller"), "5550100", "hello", carrier).expect("a caller");
    caller.dial(&format!("sip:4002@{}", branch.sip)).expect("dialled");
    caller.wait_event("CALL_CLOSED", PATIENCE).expect("the flow ends the call");

    let file = caller.heard().expect("the caller heard");
    let (heard, rate) = (proof::samples(&file, 1).expect("a WAV"), proof::rate(&file).expect("a WAV"));
    let of = |hertz: f32| sine(&heard, usize::try_from(rate).expect("a rate"), hertz);
    let greeted = of(1_000.0).iter().filter(|level| **level > 0.3).count();
    assert!((6..=8).contains(&greeted), "{greeted} tenths of the German greeting");
    // -19 dBm0 each is 0.078 of full scale.
    let (low, high) = (of(440.0), of(480.0));
    let rings: Vec<bool> = low
        .iter()
        .zip(&high)
        .map(|(low, high)| [low, high].iter().all(|level| (0.05..0.11).contains(*level)))
        .collect();
    let runs: Vec<(bool, usize)> = rings.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect();
    let on: Vec<usize> = runs.iter().filter(|(rings, _)| *rings).map(|(_, tenths)| *tenths).collect();
    assert!(on.len() == 2 && (18..=21).contains(&on[0]), "{runs:?}");
    let between = runs.iter().skip_while(|(rings, _)| !rings).nth(1).map(|(_, tenths)| *tenths);
    assert!(between.is_some_and(|tenths| (38..=42).contains(&tenths)), "{runs:?}");
}
