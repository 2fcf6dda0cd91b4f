//! Who still has a place while the table fills: what is new gives way first, then emergencies, and what has begun can
//! always be ended. A call takes about four transactions, three of which stay for half a minute, so whoever admits a
//! call has to know that there will be places for the rest of it.

use crate::message::{Method, Request};

/// The kinds of transaction, by how soon they are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    /// Something new of a phone, or of ours that can wait.
    Phone,
    /// Something new of a trunk.
    Trunk,
    /// A call to an emergency number.
    Emergency,
    /// Of a call that was admitted, or of a trunk's health.
    Begun,
    /// BYE and CANCEL: once for each dialog and INVITE, so there are never many.
    End,
}

/// Transactions that a dialog will need before it is gone: its BYE, and a share of what its other leg begins with.
pub const OWED_PER_DIALOG: usize = 2;

impl Room {
    /// How many transactions may stand when one more of this kind begins, where `limit` is the configured number. The
    /// ends of calls go an eighth beyond it, and nothing goes further.
    pub fn of(self, limit: usize) -> usize {
        let sixteenths = match self {
            Self::Phone => 12,
            Self::Trunk => 13,
            Self::Emergency => 14,
            Self::Begun => 16,
            Self::End => 18,
        };
        limit.saturating_mul(sixteenths) / 16
    }

    /// Of a request within a dialog, or of one that we send.
    pub fn of_ours(request: &Request) -> Self {
        match request.method() {
            Method::Bye | Method::Cancel => Self::End,
            // Somebody's text message on its way out.
            Method::Message => Self::Phone,
            _ => Self::Begun,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_gives_way_before_what_has_begun() {
        let rooms = [Room::Phone, Room::Trunk, Room::Emergency, Room::Begun, Room::End];
        assert_eq!(rooms.map(|room| room.of(160)), [120, 130, 140, 160, 180]);
        assert_eq!(rooms.map(|room| room.of(0)), [0; 5]);
        assert!(rooms.is_sorted());
    }
}
