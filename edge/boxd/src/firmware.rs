//! Which system runs: what `otad` wrote down when this boot began, or, on a machine without it, what was compiled.

use std::path::Path;

use serde::Deserialize;

/// Firmware slot and version, as they may leave the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// `A` is 0, `B` is 1.
    pub slot: u8,
    pub version: [u16; 3],
}

/// The part of `ota.json` that is read here. The two programs share no more than this file.
#[derive(Deserialize)]
struct State {
    slot: String,
    running: String,
}

/// `state` is `firmware.state` of `box.toml`. A file that is not there or not understood says nothing.
pub fn running(state: Option<&Path>) -> Running {
    let told = || -> Option<Running> {
        let state: State = serde_json::from_slice(&std::fs::read(state?).ok()?).ok()?;
        Some(Running { slot: u8::from(state.slot == "B"), version: version(&state.running)? })
    };
    told().unwrap_or(Running { slot: 0, version: version(env!("CARGO_PKG_VERSION")).unwrap_or_default() })
}

fn version(text: &str) -> Option<[u16; 3]> {
    let numbers: Vec<u16> = text.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    numbers.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_s_file_says_what_runs_and_nonsense_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ota.json");
        let compiled = running(None);
        assert_eq!(running(Some(&file)), compiled, "no file yet");
        std::fs::write(&file, r#"{"slot":"B","running":"1.2.3","update":{"state":"idle"}}"#).unwrap();
        assert_eq!(running(Some(&file)), Running { slot: 1, version: [1, 2, 3] });
        for nonsense in ["", "{}", r#"{"slot":"B","running":"new"}"#, r#"{"slot":"B","running":"1.2.3.4"}"#] {
            std::fs::write(&file, nonsense).unwrap();
            assert_eq!(running(Some(&file)), compiled, "{nonsense}");
        }
    }
}
