//! Datagrams to the ports of calls whose parties are found by ICE and proven by DTLS: STUN, handshakes, and what comes
//! before there are keys.

use crate::house::{Calls, Lane};

pub fn run(data: &[u8]) {
    crate::house::run(Calls::Handshake, Lane::Audio, data);
}
