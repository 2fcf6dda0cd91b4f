//! Where people of one house write to one another.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{AgentId, QueueId};

/// Written `two.li.wang`, `queue.sales`, `supervisors.li`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    /// Two people; the first is the lesser one.
    Two(AgentId, AgentId),
    /// The agents of a queue, and supervisors.
    Queue(QueueId),
    /// This agent, and all supervisors.
    Supervisors(AgentId),
}

impl Room {
    /// None: nobody writes to themselves.
    pub fn two(one: AgentId, other: AgentId) -> Option<Self> {
        match one.cmp(&other) {
            std::cmp::Ordering::Less => Some(Self::Two(one, other)),
            std::cmp::Ordering::Greater => Some(Self::Two(other, one)),
            std::cmp::Ordering::Equal => None,
        }
    }
}

/// The text names no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a room is written two.ID.ID, queue.ID or supervisors.ID")]
pub struct NoRoom;

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Two(one, other) => write!(f, "two.{one}.{other}"),
            Self::Queue(queue) => write!(f, "queue.{queue}"),
            Self::Supervisors(of) => write!(f, "supervisors.{of}"),
        }
    }
}

impl FromStr for Room {
    type Err = NoRoom;

    fn from_str(text: &str) -> Result<Self, NoRoom> {
        let (kind, rest) = text.split_once('.').ok_or(NoRoom)?;
        match kind {
            "two" => {
                let (one, other) = rest.split_once('.').ok_or(NoRoom)?;
                let [one, other] = [one, other].map(AgentId::new);
                Self::two(one.map_err(|_| NoRoom)?, other.map_err(|_| NoRoom)?).ok_or(NoRoom)
            }
            "queue" => QueueId::new(rest).map(Self::Queue).map_err(|_| NoRoom),
            "supervisors" => AgentId::new(rest).map(Self::Supervisors).map_err(|_| NoRoom),
            _ => Err(NoRoom),
        }
    }
}

impl Serialize for Room {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Room {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_the_same_whoever_names_it_and_nonsense_names_none() {
        let room: Room = "two.wang.li".parse().unwrap();
        assert_eq!(room.to_string(), "two.li.wang");
        for text in ["two.li.wang", "queue.sales", "supervisors.li"] {
            assert_eq!(text.parse::<Room>().map(|room| room.to_string()).as_deref(), Ok(text));
        }
        for bad in ["", "two", "two.li", "two.li.li", "two.li.wang.x", "queue.", "queue.Sales", "all", "supervisors"] {
            assert_eq!(bad.parse::<Room>(), Err(NoRoom), "{bad}");
        }
    }
}
