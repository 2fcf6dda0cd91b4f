//! The datagrams of overflow media: eight bytes of flow, then what only the two boxes can read. The cloud reads the
//! flow and forwards.

use model::OverflowId;

/// Before the sealed part.
pub const FLOW_BYTES: usize = 8;

/// The flow of an overflow call, the same at both boxes and in the cloud.
pub fn flow_of(overflow: OverflowId) -> u64 {
    let [high, low] =
        [overflow.0 >> 64, overflow.0 & u128::from(u64::MAX)].map(|half| u64::try_from(half).unwrap_or(0));
    high ^ low
}

/// The flow a datagram belongs to; None for one that is too short.
pub fn flow_in(datagram: &[u8]) -> Option<u64> {
    datagram.first_chunk::<FLOW_BYTES>().map(|bytes| u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_depends_on_both_halves_of_the_id() {
        let flows = [0, 1, 1 << 64, 3 << 64].map(|id| flow_of(OverflowId(id)));
        assert_eq!(flows, [0, 1, 1, 3]);
    }

    #[test]
    fn a_short_datagram_has_no_flow() {
        assert_eq!(flow_in(&[1; 7]), None);
        assert_eq!(flow_in(&[0, 0, 0, 0, 0, 0, 1, 2, 9]), Some(258));
    }
}
