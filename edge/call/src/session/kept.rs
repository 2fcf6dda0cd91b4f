//! What another life of the process must know of a session that stands, and the session made of it again.

use media::plane::{Codec, Remote};
use media::sdp;
use serde::{Deserialize, Serialize};

use super::{Said, Session};
use crate::hold::{self, Holds};
use crate::protect::{self, Protector, Terms};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    id: u64,
    version: u64,
    learn: bool,
    codecs: Vec<Codec>,
    held_by_us: bool,
    held_by_them: bool,
    /// Their last description, as they wrote it.
    theirs: String,
    remote: Remote,
    /// Where they were told that our audio is, and whether what they were told is what we wish.
    told: Option<(std::net::SocketAddr, bool)>,
    protector: protect::Kept,
}

impl Session {
    /// None while nothing stands.
    pub fn keep(&self) -> Option<Kept> {
        Some(Kept {
            id: self.id,
            version: self.version,
            learn: self.learn,
            codecs: self.codecs.clone(),
            held_by_us: self.holds.by_us,
            held_by_them: self.holds.by_them,
            theirs: std::str::from_utf8(&self.heard).ok()?.to_owned(),
            remote: self.remote.clone()?,
            told: self.told.map(|told| (told.local, told.wish == self.holds.wish())),
            protector: self.protector.keep(),
        })
    }

    /// None: it makes no sense.
    pub fn restored(kept: Kept, terms: Terms) -> Option<Self> {
        let audio = sdp::parse(kept.theirs.as_bytes()).ok()?.audio_of(&kept.codecs).ok()?;
        let holds = Holds { by_us: kept.held_by_us, by_them: kept.held_by_them };
        let protector = Protector::restored(kept.protector, terms, &audio, &kept.remote);
        let has_address = audio.remote(kept.learn, kept.remote.mux, kept.remote.security.clone()).is_some();
        // What was told and is not wished is told anew.
        let told = kept.told.filter(|(_, as_wished)| *as_wished);
        Some(Self {
            version: kept.version,
            codecs: kept.codecs,
            holds,
            direction: hold::offered(audio.direction, has_address),
            theirs: Some(audio),
            heard: kept.theirs.into(),
            remote: Some(kept.remote),
            told: told.map(|(local, _)| Said { local, wish: holds.wish() }),
            ..Self::new(kept.id, kept.learn, protector)
        })
    }
}
