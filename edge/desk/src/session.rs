//! Who is signed in: random tokens, kept only as their hash, in memory. A restart signs everybody out.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use model::AgentId;
use rand::RngExt as _;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::Role;

/// Sessions at once; the longest idle makes room.
pub const SESSIONS_MAX: usize = 1000;
/// A session that nobody used for so long is over.
pub const IDLE_MAX: Duration = Duration::from_secs(2 * 3600);
/// A shift: after this one signs in again.
pub const AGE_MAX: Duration = Duration::from_secs(14 * 3600);

/// A signed-in person, as the routes see them.
#[derive(Debug, Clone)]
pub struct Session {
    pub agent: AgentId,
    pub role: Role,
    pub key: Key,
    /// When it ends at the latest.
    pub until: Instant,
    /// Becomes true, or loses its sender, when the session is over.
    pub over: watch::Receiver<bool>,
}

/// The hash a session is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key([u8; 32]);

#[derive(Default)]
pub struct Sessions(Mutex<BTreeMap<Key, Held>>);

struct Held {
    agent: AgentId,
    role: Role,
    began: Instant,
    used: Instant,
    over: watch::Sender<bool>,
}

impl Sessions {
    /// Begins a session and returns the token, which is stored nowhere.
    pub fn begin(&self, now: Instant, agent: AgentId, role: Role) -> String {
        let token: [u8; 32] = rand::rng().random();
        let token = hex::encode(token);
        let mut held = self.held();
        held.retain(|_, session| session.alive(now));
        while held.len() >= SESSIONS_MAX {
            let Some(idlest) = held.iter().min_by_key(|(_, s)| s.used).map(|(key, _)| *key) else { break };
            held.remove(&idlest);
        }
        let over = watch::Sender::new(false);
        held.insert(key(&token), Held { agent, role, began: now, used: now, over });
        token
    }

    /// The session of this token, and one more use of it.
    pub fn find(&self, now: Instant, token: &str) -> Option<Session> {
        let key = key(token);
        let mut held = self.held();
        let session = held.get_mut(&key)?;
        if !session.alive(now) {
            held.remove(&key);
            return None;
        }
        session.used = now;
        let over = session.over.subscribe();
        let until = session.began.checked_add(AGE_MAX)?;
        Some(Session { agent: session.agent.clone(), role: session.role, key, until, over })
    }

    /// A live connection is in use, though it asks for nothing.
    pub fn touch(&self, now: Instant, key: Key) {
        if let Some(session) = self.held().get_mut(&key) {
            session.used = now;
        }
    }

    /// Without being a use of it.
    pub fn is_alive(&self, now: Instant, key: Key) -> bool {
        self.held().get(&key).is_some_and(|session| session.alive(now))
    }

    pub fn end(&self, key: Key) {
        self.held().remove(&key);
    }

    pub fn end_all_of(&self, agent: &AgentId) {
        self.held().retain(|_, session| session.agent != *agent);
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<Key, Held>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Held {
    fn alive(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.used) < IDLE_MAX && now.saturating_duration_since(self.began) < AGE_MAX
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.over.send_replace(true);
    }
}

fn key(token: &str) -> Key {
    Key(Sha256::digest(token.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(text: &str) -> AgentId {
        AgentId::new(text).unwrap()
    }

    #[test]
    fn a_session_lasts_while_it_is_used_but_no_longer_than_a_shift() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let token = sessions.begin(start, agent("li"), Role::Agent);
        assert_eq!(token.len(), 64);
        let mut now = start;
        while now < start + AGE_MAX - IDLE_MAX / 2 {
            now += IDLE_MAX / 2;
            assert_eq!(sessions.find(now, &token).is_some(), now < start + AGE_MAX, "{:?}", now - start);
        }
        let token = sessions.begin(now, agent("li"), Role::Agent);
        assert!(sessions.find(now + IDLE_MAX, &token).is_none());
    }

    #[test]
    fn ending_a_person_ends_all_their_sessions_and_tells_the_live_connections() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let tokens = [(); 2].map(|()| sessions.begin(now, agent("li"), Role::Agent));
        let other = sessions.begin(now, agent("wang"), Role::Agent);
        let live = sessions.find(now, &tokens[0]).unwrap();
        sessions.end_all_of(&agent("li"));
        assert!(*live.over.borrow());
        assert!(tokens.iter().all(|token| sessions.find(now, token).is_none()));
        assert!(sessions.find(now, &other).is_some());
    }

    #[test]
    fn beyond_the_limit_the_longest_idle_session_makes_room() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let first = sessions.begin(start, agent("li"), Role::Agent);
        let second = sessions.begin(start, agent("li"), Role::Agent);
        sessions.find(start + Duration::from_secs(1), &first).unwrap();
        for _ in 0..SESSIONS_MAX - 1 {
            sessions.begin(start + Duration::from_secs(2), agent("li"), Role::Agent);
        }
        assert!(sessions.find(start, &second).is_none());
        assert!(sessions.find(start, &first).is_some());
    }
}
