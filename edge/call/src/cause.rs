//! Causes and SIP status codes, both ways. The only place that knows which number means what.

use crate::leg::Cause;

/// Why a call that we made failed with this final status. `rang`: the peer had sent a provisional answer before.
pub fn of_status(status: u16, rang: bool) -> Cause {
    match status {
        // RFC 3261 §21.4.2, §21.4.4, §21.4.8: credentials or permission
        401 | 403 | 407 => Cause::Forbidden,
        // §21.4.5, §21.4.10, §21.4.23 (484), §21.6.3
        404 | 410 | 484 | 604 => Cause::NotFound,
        // §21.4.9: a peer that rang and gave up; without a ring it is Timer B, nobody is there
        408 if rang => Cause::NoAnswer,
        408 => Cause::Lost,
        480 => Cause::NoAnswer,
        // §21.4.24, §21.6.1, §21.6.2 (603 decline)
        486 | 600 | 603 => Cause::Busy,
        // §21.4.25: our own CANCEL
        487 => Cause::Ours,
        // §21.4.13, §21.4.26, §21.6.4
        415 | 488 | 606 => Cause::Media,
        // We follow no redirection: the dial plan alone says where a call may go (S-140).
        300..=399 => Cause::Forbidden,
        503 if rang => Cause::Overload,
        500..=599 => Cause::Lost,
        600..=699 => Cause::Busy,
        _ => Cause::Fault,
    }
}

/// The final answer to a caller that we turn away for this cause.
pub fn to_status(cause: Cause) -> u16 {
    match cause {
        Cause::Busy => 486,
        Cause::NoAnswer | Cause::NotRegistered | Cause::Lost => 480,
        Cause::Media => 488,
        Cause::Forbidden => 403,
        Cause::NotFound => 404,
        Cause::Overload => 503,
        Cause::PartyHungUp => 487,
        Cause::Ours => 603,
        Cause::Fault => 500,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_becomes_the_cause_a_person_would_name() {
        let table = [
            (486, true, Cause::Busy),
            (603, true, Cause::Busy),
            (408, true, Cause::NoAnswer),
            (408, false, Cause::Lost),
            (480, false, Cause::NoAnswer),
            (404, false, Cause::NotFound),
            (403, false, Cause::Forbidden),
            (302, false, Cause::Forbidden),
            (488, false, Cause::Media),
            (503, false, Cause::Lost),
            (503, true, Cause::Overload),
            (487, true, Cause::Ours),
            (699, false, Cause::Busy),
            (481, false, Cause::Fault),
        ];
        for (status, rang, cause) in table {
            assert_eq!(of_status(status, rang), cause, "{status} {rang}");
        }
    }

    #[test]
    fn every_cause_has_a_final_refusal() {
        use Cause::*;
        for cause in
            [PartyHungUp, Ours, Busy, NoAnswer, NotRegistered, Media, Forbidden, NotFound, Overload, Lost, Fault]
        {
            assert!((400..700).contains(&to_status(cause)), "{cause:?}");
        }
    }
}
