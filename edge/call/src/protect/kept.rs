//! What another life of the process must know of a leg's protection: our keys go on in the media process, and a peer is
//! offered the same ones again.

use media::plane::Remote;
use media::sdp::{Audio, Credentials, Crypto};
use media::srtp::Master;
use serde::{Deserialize, Serialize};

use super::{Agreed, Protector, Terms};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    ours: Vec<(u32, Master)>,
    /// User fragment and password.
    ice: Option<(String, String)>,
    latched: bool,
}

impl Protector {
    pub fn keep(&self) -> Kept {
        Kept {
            ours: self.ours.iter().map(|line| (line.tag, line.master.clone())).collect(),
            ice: self.credentials.as_ref().map(|ice| (ice.user.clone(), ice.password.clone())),
            latched: self.latched,
        }
    }

    /// `theirs` is their last description, `remote` what came of it.
    pub fn restored(kept: Kept, terms: Terms, theirs: &Audio, remote: &Remote) -> Self {
        Self {
            terms,
            ours: kept.ours.into_iter().map(|(tag, master)| Crypto { tag, master }).collect(),
            credentials: kept.ice.and_then(|(user, password)| Credentials::new(&user, &password)),
            agreed: Some(Agreed::of(theirs, remote.security.clone(), remote.mux)),
            latched: kept.latched,
        }
    }
}
