//! Datagrams to the report ports of calls that are passed on. What is read as a report is written and read again.

use media::rtp::rtcp;

use crate::house::{Calls, Lane};

const ABOUT: u32 = 7;

pub fn run(data: &[u8]) {
    if let Some(report) = rtcp::parse(data, ABOUT) {
        let mut out = [0; rtcp::LEN_MAX];
        let length = rtcp::write(&mut out, &report);
        let again = rtcp::parse(out.get(..length).unwrap_or_default(), ABOUT);
        assert!(again.is_some(), "our own report is not read");
    }
    crate::house::run(Calls::Passed, Lane::Reports, data);
}
