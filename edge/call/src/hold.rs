//! Hold, both ways: which side holds, and the direction attributes that say so (RFC 3264 §8.4, §6.1).

use media::sdp::Direction;

/// Who does not want to hear the other for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holds {
    pub by_us: bool,
    pub by_them: bool,
}

impl Holds {
    /// What our next offer says. On hold we still send: music.
    pub fn wish(self) -> Direction {
        if self.by_us { Direction::SendOnly } else { Direction::SendRecv }
    }
}

/// RFC 3264 §6.1: our answer to an offer of this direction, given what we wish.
pub fn answer(offered: Direction, wish: Direction) -> Direction {
    match (receives(offered) && sends(wish), sends(offered) && receives(wish)) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    }
}

/// What they mean by this direction: who names no address to send to wants to hear nothing (RFC 3264 §8.4, the old
/// way).
pub fn offered(direction: Direction, has_address: bool) -> Direction {
    match direction {
        Direction::SendRecv if !has_address => Direction::SendOnly,
        Direction::RecvOnly if !has_address => Direction::Inactive,
        other => other,
    }
}

pub fn receives(direction: Direction) -> bool {
    matches!(direction, Direction::SendRecv | Direction::RecvOnly)
}

fn sends(direction: Direction) -> bool {
    matches!(direction, Direction::SendRecv | Direction::SendOnly)
}

#[cfg(test)]
mod tests {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};

    use super::*;

    #[test]
    fn answers_follow_the_table_of_rfc_3264() {
        let table = [
            (SendRecv, SendRecv, SendRecv),
            (SendOnly, SendRecv, RecvOnly),
            (RecvOnly, SendRecv, SendOnly),
            (Inactive, SendRecv, Inactive),
            (SendRecv, SendOnly, SendOnly),
            (SendOnly, SendOnly, Inactive),
            (RecvOnly, SendOnly, SendOnly),
            (Inactive, SendOnly, Inactive),
        ];
        for (offered, wish, expected) in table {
            assert_eq!(answer(offered, wish), expected, "{offered:?} {wish:?}");
        }
    }

    #[test]
    fn only_our_own_hold_changes_what_we_offer() {
        assert_eq!(Holds { by_us: false, by_them: true }.wish(), SendRecv);
        assert_eq!(Holds { by_us: true, by_them: false }.wish(), SendOnly);
    }
}
