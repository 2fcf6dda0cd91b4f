//! Datagrams to the audio ports of calls that are passed on: RTP, keypresses, comfort noise, and what is none of them.

use crate::house::{Calls, Lane};

pub fn run(data: &[u8]) {
    if let Some((header, payload)) = media::rtp::parse(data) {
        assert!(payload.len() < data.len());
        let again = media::rtp::write(&header);
        assert_eq!(media::rtp::parse(&[&again[..], payload].concat()), Some((header, payload)));
    }
    crate::house::run(Calls::Passed, Lane::Audio, data);
}
