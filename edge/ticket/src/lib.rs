//! What becomes of a ticket: which moves are legal, what was promised and by when, and what is told of it. It knows no
//! storage: who calls keeps the [`Ticket`] and hands it back, so that two people who write at once meet at the keeper's
//! version, and a restart loses nothing.
//!
//! [`open`] and [`act`] are what people do, [`tick`] what time does; [`next`] says when to tick. Each returns the ticket as
//! it stands then and what is to be told; nothing is told when nothing happened.

mod act;
pub mod calendar;
mod clock;
pub mod terms;

use model::{
    CategoryId,
    ticket::{State, Terms},
};

pub use act::{Act, Change, Opening, act, open};
pub use calendar::Calendar;
pub use clock::{Due, due, next, tick};
// The plain data, under the roof of what it is decided by.
pub use model::ticket::Ticket;

/// Visits of a customer that one ticket names.
pub const CONTACTS_MAX: usize = 20;
/// Changes of one ticket: a hand that has more to say opens another.
pub const CHANGES_MAX: u64 = 1_000;

/// What a house has promised, and when it is there.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    pub terms: &'a Terms,
    pub calendar: &'a Calendar,
}

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a ticket that is {from:?} does not become {to:?}")]
    Illegal { from: State, to: State },
    #[error("the ticket is closed for good")]
    Closed,
    #[error("a ticket has at most {CONTACTS_MAX} contacts")]
    TooManyContacts,
    #[error("a ticket has at most {CHANGES_MAX} changes")]
    TooManyChanges,
    #[error("there is no category {0}")]
    UnknownCategory(CategoryId),
}

/// The legal moves.
pub fn may_move(from: State, to: State) -> bool {
    use State::{Closed, Open, Solved, WaitsForCustomer, WaitsForUs};
    matches!(
        (from, to),
        (Open, WaitsForUs | WaitsForCustomer | Solved)
            | (WaitsForUs, WaitsForCustomer | Solved)
            | (WaitsForCustomer, WaitsForUs | Solved)
            | (Solved, WaitsForUs | Closed)
    )
}
