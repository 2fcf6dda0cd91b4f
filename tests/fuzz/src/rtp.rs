//! Datagrams to the audio ports of calls in clear: RTP, keypresses, comfort noise, and what is none of them.

use crate::house::{Calls, Lane};

pub fn run(data: &[u8]) {
    if let Some((header, payload)) = media::rtp::parse(data) {
        assert!(payload.len() < data.len());
        let again = media::rtp::write(&header);
        assert_eq!(media::rtp::parse(&[&again[..], payload].concat()), Some((header, payload)));
    }
    crate::house::run(Calls::Clear, Lane::Audio, data);
}
