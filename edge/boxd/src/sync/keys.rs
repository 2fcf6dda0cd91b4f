//! Media keys of an overflow call, agreed between the two boxes so that the cloud, which carries the signals, cannot
//! know them: ephemeral X25519 keys, signed by the device keys, and HKDF over both.

use aws_lc_rs::{
    agreement::{self, PrivateKey, UnparsedPublicKey, X25519},
    digest, hkdf,
};
use link::{Trust, identity::Identity};
use model::{
    OverflowId, SiteId,
    overflow::{PublicKey, Signal},
};

const DOMAIN: &[u8] = b"branchline overflow key 1";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a key could not be made")]
    Made,
    /// The peer's fault.
    #[error("the peer's key is not one")]
    Malformed,
    #[error("the peer's key is not of site {0}")]
    Foreign(SiteId),
    #[error(transparent)]
    Untrusted(#[from] link::TrustError),
    #[error(transparent)]
    Identity(#[from] link::identity::Error),
}

/// Which side's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Asks with an offer.
    Origin,
    /// Answers with an accept.
    Helper,
}

/// Our half of an agreement.
pub struct Ephemeral {
    private: PrivateKey,
    pub public: [u8; 32],
}

/// One key per direction.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    pub origin_to_helper: [u8; 32],
    pub helper_to_origin: [u8; 32],
}

impl Ephemeral {
    pub fn generate() -> Result<Self, Error> {
        let private = PrivateKey::generate(&X25519).map_err(|_| Error::Made)?;
        let public = private.compute_public_key().map_err(|_| Error::Made)?;
        let public = public.as_ref().try_into().map_err(|_| Error::Made)?;
        Ok(Self { private, public })
    }

    /// Both ends get the same, whichever role they have.
    pub fn agree(&self, role: Role, theirs: &[u8; 32], overflow: OverflowId) -> Result<Keys, Error> {
        let (origin, helper) = match role {
            Role::Origin => (&self.public, theirs),
            Role::Helper => (theirs, &self.public),
        };
        let mut salt = digest::Context::new(&digest::SHA256);
        [DOMAIN, &overflow.0.to_be_bytes(), origin, helper].iter().for_each(|part| salt.update(part));
        let salt = salt.finish();
        let peer = UnparsedPublicKey::new(&X25519, theirs);
        agreement::agree(&self.private, peer, Error::Malformed, |secret| {
            let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt.as_ref()).extract(secret);
            let expand = |info: &[u8]| {
                let mut key = [0; 32];
                let info = [info];
                let okm = extracted.expand(&info, hkdf::HKDF_SHA256).map_err(|_| Error::Made)?;
                okm.fill(&mut key).map_err(|_| Error::Made)?;
                Ok::<_, Error>(key)
            };
            Ok(Keys { origin_to_helper: expand(b"origin to helper")?, helper_to_origin: expand(b"helper to origin")? })
        })
    }
}

/// What is signed: who says it to whom, for which call, in which role, in answer to which key.
fn statement(signal: &Signal, role: Role, key: &[u8; 32], answers: Option<&[u8; 32]>) -> Vec<u8> {
    let mut out = DOMAIN.to_vec();
    out.push(if role == Role::Origin { 0 } else { 1 });
    out.extend_from_slice(&signal.overflow.0.to_be_bytes());
    for site in [&signal.from, &signal.to] {
        out.extend_from_slice(&u64::try_from(site.as_str().len()).unwrap_or(u64::MAX).to_be_bytes());
        out.extend_from_slice(site.as_str().as_bytes());
    }
    out.extend_from_slice(key);
    out.extend_from_slice(answers.unwrap_or(&[0; 32]));
    out
}

/// Our public key for a signal, signed.
pub fn public(
    identity: &Identity,
    signal: &Signal,
    role: Role,
    ours: &Ephemeral,
    answers: Option<&[u8; 32]>,
) -> Result<PublicKey, Error> {
    let signature = identity.sign(&statement(signal, role, &ours.public, answers))?;
    Ok(PublicKey {
        key: hex::encode(ours.public),
        signature: hex::encode(signature),
        certificate: hex::encode(&identity.certificate),
    })
}

/// The peer's key, when a box of the site that the signal comes from has signed it.
pub fn verified(
    trust: &Trust,
    signal: &Signal,
    role: Role,
    key: &PublicKey,
    answers: Option<&[u8; 32]>,
    now_s: u64,
) -> Result<[u8; 32], Error> {
    let mut theirs = [0; 32];
    hex::decode_to_slice(&key.key, &mut theirs).map_err(|_| Error::Malformed)?;
    let signature = hex::decode(&key.signature).map_err(|_| Error::Malformed)?;
    let certificate = hex::decode(&key.certificate).map_err(|_| Error::Malformed)?;
    let peer = trust.signed_by(&certificate, &statement(signal, role, &theirs, answers), &signature, now_s)?;
    if peer.site == signal.from { Ok(theirs) } else { Err(Error::Foreign(peer.site)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_agree_and_another_call_has_other_keys() {
        let (origin, helper) = (Ephemeral::generate().unwrap(), Ephemeral::generate().unwrap());
        let a = origin.agree(Role::Origin, &helper.public, OverflowId(1)).unwrap();
        let b = helper.agree(Role::Helper, &origin.public, OverflowId(1)).unwrap();
        assert!(a == b);
        assert_ne!(a.origin_to_helper, a.helper_to_origin);
        let other = origin.agree(Role::Origin, &helper.public, OverflowId(2)).unwrap();
        assert_ne!(a.origin_to_helper, other.origin_to_helper);
    }

    #[test]
    fn a_key_of_low_order_is_refused() {
        let ours = Ephemeral::generate().unwrap();
        assert!(ours.agree(Role::Origin, &[0; 32], OverflowId(1)).is_err());
    }
}
