//! Datagrams to the audio ports of calls of which one is decoded: jitter buffer, decoders, concealment, mixing.

use crate::house::{Calls, Lane};

pub fn run(data: &[u8]) {
    crate::house::run(Calls::Decoded, Lane::Audio, data);
}
