//! Passwords of the branch's staff: salted Argon2id hashes, and a small staff list that a daemon can fill from its
//! own store. Sign-in works with the Internet unplugged.

use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use model::AgentId;
use tokio::sync::Semaphore;

use crate::{Credentials, Future, Role, Unavailable};

/// Longest password that is looked at, in bytes; a longer one is wrong.
pub const PASSWORD_LEN_MAX: usize = 200;
/// Hashes computed at once: each takes 19 MiB and a core.
const VERIFY_AT_ONCE_MAX: usize = 2;
/// Attempts that may wait for a turn; more are turned away.
const VERIFY_WAITING_MAX: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("a password has 1 to {PASSWORD_LEN_MAX} bytes")]
    Length,
    #[error("not an Argon2 hash in PHC form, of {0}")]
    NotAHash(AgentId),
    #[error("hashing failed: {0}")]
    Hashing(String),
}

/// The PHC string (`$argon2id$v=19$…`) of a password, with a fresh salt.
pub fn hash(password: &str) -> Result<String, Error> {
    if password.is_empty() || password.len() > PASSWORD_LEN_MAX {
        return Err(Error::Length);
    }
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|error| Error::Hashing(error.to_string()))
}

/// One person: what they may do and how they prove who they are.
#[derive(Clone, PartialEq, Eq)]
pub struct StaffMember {
    pub role: Role,
    /// As [`hash`] makes it.
    pub password_hash: String,
}

/// A list of staff in memory, replaceable as a whole.
pub struct Staff {
    members: RwLock<Arc<BTreeMap<AgentId, StaffMember>>>,
    /// Compared against for unknown names, so that they take as long as known ones.
    nobody: String,
    turns: Semaphore,
    waiting: Semaphore,
}

impl Staff {
    pub fn new(members: BTreeMap<AgentId, StaffMember>) -> Result<Self, Error> {
        check(&members)?;
        Ok(Self {
            members: RwLock::new(Arc::new(members)),
            nobody: hash("nobody has this password")?,
            turns: Semaphore::new(VERIFY_AT_ONCE_MAX),
            waiting: Semaphore::new(VERIFY_WAITING_MAX),
        })
    }

    /// Puts another list in force, if every hash in it can be read.
    pub fn replace(&self, members: BTreeMap<AgentId, StaffMember>) -> Result<(), Error> {
        check(&members)?;
        *self.members.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = Arc::new(members);
        Ok(())
    }

    fn members(&self) -> Arc<BTreeMap<AgentId, StaffMember>> {
        self.members.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

impl Credentials for Staff {
    fn verify(&self, agent: AgentId, password: String) -> Future<'_, Result<Option<Role>, Unavailable>> {
        Box::pin(async move {
            if password.len() > PASSWORD_LEN_MAX {
                return Ok(None);
            }
            let _waiting = self.waiting.try_acquire().map_err(|_| Unavailable)?;
            let _turn = self.turns.acquire().await.map_err(|_| Unavailable)?;
            let members = self.members();
            let (hash, role) = match members.get(&agent) {
                Some(member) => (member.password_hash.clone(), Some(member.role)),
                None => (self.nobody.clone(), None),
            };
            let right = tokio::task::spawn_blocking(move || matches(&hash, &password)).await;
            Ok(if right.map_err(|_| Unavailable)? { role } else { None })
        })
    }
}

fn matches(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

fn check(members: &BTreeMap<AgentId, StaffMember>) -> Result<(), Error> {
    let bad = members.iter().find(|(_, member)| PasswordHash::new(&member.password_hash).is_err());
    bad.map_or(Ok(()), |(agent, _)| Err(Error::NotAHash(agent.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> AgentId {
        AgentId::new(text).unwrap()
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_person_gives_the_role() {
        let member = StaffMember { role: Role::Supervisor, password_hash: hash("swordfish").unwrap() };
        let staff = Staff::new([(id("li"), member)].into()).unwrap();
        for (agent, password, expected) in [
            ("li", "swordfish", Some(Role::Supervisor)),
            ("li", "swordfisch", None),
            ("li", "", None),
            ("wang", "swordfish", None),
            ("wang", "nobody has this password", None),
        ] {
            assert_eq!(staff.verify(id(agent), password.into()).await, Ok(expected), "{agent} {password}");
        }
        assert_eq!(staff.verify(id("li"), "x".repeat(PASSWORD_LEN_MAX + 1)).await, Ok(None));
    }

    #[test]
    fn a_list_with_an_unreadable_hash_is_refused_whole() {
        let members = [(id("li"), StaffMember { role: Role::Agent, password_hash: "plain".into() })];
        assert_eq!(Staff::new(members.into()).err(), Some(Error::NotAHash(id("li"))));
        assert_eq!(hash(""), Err(Error::Length));
    }
}
