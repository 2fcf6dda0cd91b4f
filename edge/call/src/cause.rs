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

/// The same for a call on a trunk, whose Q.850 cause may say more (RFC 3398 §7.2.6, §8.2.6.1). Before anybody was rung,
/// `Lost` lets the next trunk try: 408 and 480 without a user's cause (a gateway without a free line says so), 500 to 599,
/// and any of these with a cause of the network (34, 38, 41, 42, 44, 47, 58: no circuit, out of order, congestion; 2 and
/// 3: no route from here). Whoever is busy, declined, or does not exist (486, 600, 603, 404, 410, 484, 604) is so on
/// every trunk, and 403 is a refusal that no other trunk is to get around.
pub fn of_trunk(status: u16, q850: Option<u8>, rang: bool) -> Cause {
    let vague = matches!(status, 408 | 480 | 500..=599);
    match q850.filter(|_| vague) {
        Some(1 | 22 | 28) => Cause::NotFound,
        Some(17 | 21) => Cause::Busy,
        Some(18..=20 | 27) => Cause::NoAnswer,
        Some(2 | 3 | 34 | 38 | 41 | 42 | 44 | 47 | 58) if !rang => Cause::Lost,
        _ if status == 480 && !rang => Cause::Lost,
        _ => of_status(status, rang),
    }
}

/// The Q.850 cause that our BYE or CANCEL carries (ITU-T Q.850 §2.2.7).
pub fn to_q850(cause: Cause) -> u8 {
    match cause {
        Cause::PartyHungUp | Cause::Ours => 16,
        Cause::Busy => 17,
        Cause::NoAnswer => 19,
        Cause::NotRegistered => 20,
        Cause::Forbidden => 21,
        Cause::NotFound => 1,
        Cause::Media => 88,
        Cause::Overload => 42,
        Cause::Lost => 102,
        Cause::Fault => 41,
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
    fn a_trunk_s_refusal_lets_another_try_when_it_is_the_trunk_s_own() {
        let table = [
            (408, None, false, Cause::Lost),
            (480, None, false, Cause::Lost),
            (480, None, true, Cause::NoAnswer),
            (480, Some(18), false, Cause::NoAnswer),
            (480, Some(34), false, Cause::Lost),
            (500, None, false, Cause::Lost),
            (503, None, false, Cause::Lost),
            (503, Some(17), false, Cause::Busy),
            (503, Some(1), false, Cause::NotFound),
            (503, Some(34), true, Cause::Overload),
            (504, Some(38), false, Cause::Lost),
            (486, Some(34), false, Cause::Busy),
            (486, None, false, Cause::Busy),
            (603, None, false, Cause::Busy),
            (404, Some(3), false, Cause::NotFound),
            (403, None, false, Cause::Forbidden),
        ];
        for (status, q850, rang, cause) in table {
            assert_eq!(of_trunk(status, q850, rang), cause, "{status} {q850:?} {rang}");
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
