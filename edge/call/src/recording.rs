//! Recordings: which leg each belongs to, and how far it is. A recording is wanted until its leg's port is connected,
//! runs until its end is asked for, and is forgotten when media has sealed or lost it.

use std::collections::{BTreeMap, BTreeSet};

use media::plane::{Command, PortId, RecordingState};
use model::{LegId, RecordingId};

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{limit} recordings run already")]
    Limit { limit: usize },
    #[error("this recording exists already")]
    Twice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Wanted,
    Running,
    Ending,
}

#[derive(Debug, Default)]
pub struct Recordings {
    all: BTreeMap<RecordingId, (LegId, Stage)>,
    /// Told to pause, so that what begins later begins paused.
    paused: BTreeSet<RecordingId>,
}

/// How a recording's end was taken.
#[derive(Debug, PartialEq)]
pub enum Ended {
    /// Media seals it and will say so.
    Sealing(Command),
    /// It never began.
    NeverBegan,
    /// There is none, or it is ending already.
    Nothing,
}

impl Recordings {
    pub fn want(&mut self, recording: RecordingId, leg: LegId, limit: usize) -> Result<(), Error> {
        if self.all.len() >= limit {
            return Err(Error::Limit { limit });
        }
        if self.all.contains_key(&recording) {
            return Err(Error::Twice);
        }
        self.all.insert(recording, (leg, Stage::Wanted));
        Ok(())
    }

    /// The leg's port is connected: its wanted recordings begin.
    pub fn begin(&mut self, leg: LegId, port: PortId) -> Vec<Command> {
        let wanted = self.all.iter_mut().filter(|(_, (of, stage))| *of == leg && *stage == Stage::Wanted);
        wanted
            .flat_map(|(recording, (_, stage))| {
                *stage = Stage::Running;
                let begin = Command::Record { recording: recording.to_string(), port };
                let paused = self.paused.contains(recording).then(|| pause(*recording, true));
                std::iter::once(begin).chain(paused)
            })
            .collect()
    }

    /// What to tell media; None while there is nothing to tell.
    pub fn pause(&mut self, recording: RecordingId, paused: bool) -> Option<Command> {
        let (_, stage) = self.all.get(&recording)?;
        let changed = if paused { self.paused.insert(recording) } else { self.paused.remove(&recording) };
        (changed && *stage == Stage::Running).then(|| pause(recording, paused))
    }

    pub fn is_paused(&self, recording: RecordingId) -> bool {
        self.paused.contains(&recording)
    }

    pub fn end(&mut self, recording: RecordingId) -> Ended {
        match self.all.get_mut(&recording) {
            Some((_, stage @ Stage::Running)) => {
                *stage = Stage::Ending;
                Ended::Sealing(Command::RecordEnd { recording: recording.to_string() })
            }
            Some((_, Stage::Wanted)) => {
                self.all.remove(&recording);
                self.paused.remove(&recording);
                Ended::NeverBegan
            }
            Some((_, Stage::Ending)) | None => Ended::Nothing,
        }
    }

    pub fn leg(&self, recording: RecordingId) -> Option<LegId> {
        self.all.get(&recording).map(|(leg, _)| *leg)
    }

    /// Those of a leg that media was told to begin and not to end, and whether each is paused.
    pub fn running(&self, leg: LegId) -> Vec<(RecordingId, bool)> {
        let runs = self.all.iter().filter(|(_, (of, stage))| *of == leg && *stage == Stage::Running);
        runs.map(|(recording, _)| (*recording, self.paused.contains(recording))).collect()
    }

    /// As an earlier life left it.
    pub fn stand(&mut self, recording: RecordingId, leg: LegId, paused: bool) {
        self.all.insert(recording, (leg, Stage::Running));
        if paused {
            self.paused.insert(recording);
        }
    }

    pub fn of(&self, leg: LegId) -> Vec<RecordingId> {
        self.all.iter().filter(|(_, (of, _))| *of == leg).map(|(recording, _)| *recording).collect()
    }

    /// Media reports. None: not one of ours, or told before.
    pub fn heard(&mut self, recording: &str, state: &RecordingState) -> Option<RecordingId> {
        let recording = recording.parse().ok()?;
        match state {
            RecordingState::Started => self.all.contains_key(&recording).then_some(recording),
            RecordingState::Sealed { .. } | RecordingState::Failed { .. } => {
                self.paused.remove(&recording);
                self.all.remove(&recording).map(|_| recording)
            }
        }
    }

    /// The media process died: what ran or was being sealed there has ended unsealed. What was wanted is still wanted.
    pub fn media_lost(&mut self) -> Vec<RecordingId> {
        let lost: Vec<_> = self
            .all
            .iter()
            .filter(|(_, (_, stage))| *stage != Stage::Wanted)
            .map(|(recording, _)| *recording)
            .collect();
        for recording in &lost {
            self.all.remove(recording);
            self.paused.remove(recording);
        }
        lost
    }
}

fn pause(recording: RecordingId, paused: bool) -> Command {
    Command::RecordPause { recording: recording.to_string(), paused }
}

#[cfg(test)]
mod tests {
    use media::plane::Failure;

    use super::*;

    const R: RecordingId = RecordingId(7);
    const LEG: LegId = LegId(1);

    #[test]
    fn a_recording_waits_for_its_port_and_is_forgotten_when_sealed() {
        let mut recordings = Recordings::default();
        recordings.want(R, LEG, 2).unwrap();
        assert_eq!(recordings.want(R, LEG, 2), Err(Error::Twice));
        let port = PortId(3);
        assert_eq!(recordings.begin(LEG, port), [Command::Record { recording: R.to_string(), port }]);
        assert_eq!(recordings.begin(LEG, port), []);
        assert_eq!(recordings.end(R), Ended::Sealing(Command::RecordEnd { recording: R.to_string() }));
        assert_eq!(recordings.end(R), Ended::Nothing);
        let sealed = RecordingState::Sealed { chunks: 1, frames: 2, sha256: String::new(), ms: 40 };
        assert_eq!(recordings.heard(&R.to_string(), &sealed), Some(R));
        assert_eq!(recordings.heard(&R.to_string(), &sealed), None);
        assert_eq!(recordings.heard("rubbish", &RecordingState::Failed { why: Failure::Disk }), None);
    }

    #[test]
    fn a_recording_that_is_paused_before_it_begins_begins_paused() {
        let mut recordings = Recordings::default();
        recordings.want(R, LEG, 2).unwrap();
        assert_eq!(recordings.pause(R, true), None);
        let port = PortId(3);
        assert_eq!(recordings.begin(LEG, port), [Command::Record { recording: R.to_string(), port }, pause(R, true)]);
        assert_eq!(recordings.pause(R, true), None);
        assert_eq!(recordings.pause(R, false), Some(pause(R, false)));
        assert_eq!(recordings.pause(RecordingId(9), true), None);
    }

    #[test]
    fn the_limit_refuses_one_more() {
        let mut recordings = Recordings::default();
        recordings.want(RecordingId(1), LEG, 1).unwrap();
        assert_eq!(recordings.want(RecordingId(2), LEG, 1), Err(Error::Limit { limit: 1 }));
    }

    #[test]
    fn a_dead_media_process_loses_what_ran_and_keeps_what_was_wanted() {
        let mut recordings = Recordings::default();
        recordings.want(R, LEG, 9).unwrap();
        recordings.begin(LEG, PortId(3));
        recordings.want(RecordingId(8), LEG, 9).unwrap();
        assert_eq!(recordings.media_lost(), [R]);
        assert_eq!(recordings.of(LEG), [RecordingId(8)]);
        assert_eq!(recordings.end(RecordingId(8)), Ended::NeverBegan);
    }
}
