//! How a contact sounds: verdicts about its legs while it talks to somebody, summed up for its record.

use call::plane::{Flow, Quality};
use model::{LegId, cdr::Sound};
use serde::{Deserialize, Serialize};

use crate::{Floor, contact::State, lines::Lines};

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Heard {
    worst: Option<u16>,
    sum: u64,
    count: u64,
    one_way: bool,
}

impl Heard {
    fn add(&mut self, quality: &Quality) {
        let opinion = quality.opinion_at_worst();
        self.worst = Some(self.worst.map_or(opinion, |worst| worst.min(opinion)));
        self.sum = self.sum.saturating_add(u64::from(opinion));
        self.count = self.count.saturating_add(1);
        self.one_way |= quality.flow != Flow::Both;
    }

    pub fn sound(&self) -> Option<Sound> {
        let mean = self.sum.checked_div(self.count)?;
        let opinion_mean = u16::try_from(mean).unwrap_or(u16::MAX);
        Some(Sound { opinion_worst: self.worst?, opinion_mean, one_way: self.one_way })
    }
}

impl<L: Lines> Floor<L> {
    /// Only what is said to a person counts: who waits need not speak, and who is held may not.
    pub(crate) fn sounded(&mut self, leg: LegId, quality: Quality) {
        let Some((id, _)) = self.legs.get(&leg).cloned() else { return };
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        if matches!(&contact.state, State::Talking(talk) if !talk.held) {
            contact.heard.add(&quality);
            self.judge_sound(id, leg, &quality);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_and_the_mean_are_kept_and_one_way_audio_is_not_forgotten() {
        let verdict = |opinion_hundredths, flow| Quality {
            flow,
            lost_permille: 0,
            jitter_ms: 0,
            round_trip_ms: None,
            told_lost_permille: None,
            told_rating: None,
            rating: 0,
            opinion_hundredths,
        };
        let mut heard = Heard::default();
        assert_eq!(heard.sound(), None);
        for (opinion, flow) in [(440, Flow::Both), (100, Flow::NothingArrives), (420, Flow::Both)] {
            heard.add(&verdict(opinion, flow));
        }
        assert_eq!(heard.sound(), Some(Sound { opinion_worst: 100, opinion_mean: 320, one_way: true }));
        // A party that hears us badly says so, while it sounds well here.
        let mut heard = Heard::default();
        heard.add(&Quality { told_rating: Some(41), rating: 93, ..verdict(440, Flow::Both) });
        let sound = heard.sound().expect("a verdict");
        assert!((200..=230).contains(&sound.opinion_worst) && !sound.one_way, "{sound:?}");
    }
}
