//! What the lab's night has found is told to people: the night is a process of its own, and its facts come by the ledger.

use floor::Input;
use model::{fact::Kind, leaving::What};
use tracing::warn;

use super::engine::Engine;

impl Engine {
    /// Looks for tests that have been written down since the last look.
    pub fn hear_of_lab(&mut self) {
        if self.config.lab.is_none() {
            return;
        }
        let looked = self.reader.facts_last().and_then(|last| Ok((last, self.reader.lab_tests_after(self.lab_heard)?)));
        let (last, tests) = match looked {
            Ok(looked) => looked,
            Err(error) => return warn!(%error, "the lab's facts cannot be read"),
        };
        // One that came between the two questions has been seen, too.
        self.lab_heard = tests.last().map_or(last, |test| last.max(test.seq));
        for what in tests.iter().flat_map(|test| found(&test.kind)) {
            self.feed(Input::DeviceChanged { what });
        }
    }
}

/// A device that is as it was is no news.
fn found(kind: &Kind) -> Vec<What> {
    let Kind::LabTested { worse, firmware_changed, .. } = kind else { return Vec::new() };
    let all = [(*firmware_changed, What::DeviceFirmware), (*worse > 0, What::DeviceWorse)];
    all.into_iter().filter_map(|(is, what)| is.then_some(what)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_broke_and_what_was_put_on_a_device_is_told_and_nothing_else() {
        let of = |worse, firmware_changed| {
            found(&Kind::LabTested { device: "desk".into(), passed: 9, failed: 3, worse, firmware_changed })
        };
        assert_eq!(of(0, false), [], "what failed before fails on");
        assert_eq!(of(2, false), [What::DeviceWorse]);
        assert_eq!(of(0, true), [What::DeviceFirmware]);
        assert_eq!(of(1, true), [What::DeviceFirmware, What::DeviceWorse]);
        assert_eq!(found(&Kind::LabMissed { device: "desk".into() }), []);
    }
}
