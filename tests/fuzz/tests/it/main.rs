//! Every input that was worth keeping, once more: what coverage found, and what was a fault once.

mod linear;

use std::path::{Path, PathBuf};

use fuzz::{SURFACES, Surface};

/// Inputs of one surface; what adds little is left out by `cargo xtask fuzz SURFACE --shrink`.
const INPUTS_MAX: usize = 1_500;
/// Bytes of one input.
const BYTES_MAX: usize = 8_192;

fn inputs(surface: &Surface) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(surface.name);
    let files = std::fs::read_dir(&folder).expect("a corpus").map(|entry| entry.expect("an entry").path());
    let mut inputs: Vec<_> = files.map(|path| (path.clone(), std::fs::read(path).expect("an input"))).collect();
    inputs.sort();
    inputs
}

fn replay(name: &str) {
    let surface = fuzz::surface(name).expect("a surface");
    let inputs = inputs(surface);
    assert!((50..=INPUTS_MAX).contains(&inputs.len()), "{name}: {} inputs", inputs.len());
    for (path, bytes) in inputs {
        assert!(bytes.len() <= BYTES_MAX, "{} is too long", path.display());
        if std::panic::catch_unwind(|| (surface.run)(&bytes)).is_err() {
            panic!("{} does not hold", path.display());
        }
    }
}

#[test]
fn every_kept_message_holds() {
    replay("message");
}

#[test]
fn every_kept_sequence_holds() {
    replay("sequence");
}

#[test]
fn every_kept_sdp_holds() {
    replay("sdp");
}

#[test]
fn every_kept_packet_of_audio_holds() {
    replay("rtp");
}

#[test]
fn every_kept_report_holds() {
    replay("rtcp");
}

#[test]
fn every_kept_packet_before_the_keys_holds() {
    replay("stun");
}

#[test]
fn every_kept_packet_that_is_decoded_holds() {
    replay("sound");
}

#[test]
fn every_kept_prompt_holds() {
    replay("prompt");
}

#[test]
fn every_kept_recording_holds() {
    replay("journal");
}

#[test]
fn every_kept_websocket_connection_holds() {
    replay("websocket");
}

#[test]
fn every_surface_has_a_test_here() {
    assert_eq!(
        SURFACES.iter().map(|surface| surface.name).collect::<Vec<_>>(),
        ["message", "sequence", "sdp", "rtp", "rtcp", "stun", "sound", "prompt", "journal", "websocket"]
    );
}
