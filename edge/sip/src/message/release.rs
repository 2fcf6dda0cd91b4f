//! Why a call ends, in the Reason header (RFC 3326): a cause of ITU-T Q.850, or a SIP status. The text beside it is never
//! read: it decides nothing, and may hold a number.

use super::Head;
use crate::lex;

/// What one side said of the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Release {
    /// 1 to 127.
    pub q850: Option<u8>,
    pub sip: Option<u16>,
}

/// Members of Reason that are looked at.
const MEMBERS_MAX: usize = 8;

impl Release {
    /// RFC 3326 §3.1: another phone has the call; one that rang in vain shows no missed call.
    pub const ELSEWHERE: Self = Self { q850: None, sip: Some(200) };

    pub fn q850(cause: u8) -> Self {
        Self { q850: Some(cause), sip: None }
    }

    /// The first cause of each kind; None when there is neither.
    pub fn of(head: &Head) -> Option<Self> {
        let mut found = Self::default();
        for member in head.list("Reason").into_iter().take(MEMBERS_MAX) {
            let mut parts = lex::split_outside(member, b';').unwrap_or_default().into_iter();
            let protocol = parts.next().unwrap_or_default();
            let cause = parts.find_map(|part| {
                let (name, value) = part.split_once('=')?;
                name.trim().eq_ignore_ascii_case("cause").then(|| lex::number(value.trim()))?
            });
            match cause {
                Some(cause @ 1..=127) if protocol.eq_ignore_ascii_case("Q.850") => {
                    found.q850 = found.q850.or(u8::try_from(cause).ok());
                }
                Some(cause @ 200..=699) if protocol.eq_ignore_ascii_case("SIP") => {
                    found.sip = found.sip.or(u16::try_from(cause).ok());
                }
                _ => {}
            }
        }
        (found != Self::default()).then_some(found)
    }

    pub fn write(self, head: &mut Head) {
        let q850 = self.q850.map(|cause| format!("Q.850;cause={cause}"));
        let sip = self.sip.map(|cause| match cause {
            200 => "SIP;cause=200;text=\"Call completed elsewhere\"".to_string(),
            _ => format!("SIP;cause={cause}"),
        });
        let members: Vec<String> = q850.into_iter().chain(sip).collect();
        if !members.is_empty() {
            head.set("Reason", members.join(", "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::{self, Carrier, Opened};
    use crate::message::Message;

    #[test]
    fn causes_are_read_in_any_order_and_strange_ones_are_not() {
        let table: [(&[&str], Option<Release>); 9] = [
            (&["Q.850;cause=16;text=\"Normal call clearing\""], Some(Release::q850(16))),
            (&["q.850 ; Cause=34"], Some(Release::q850(34))),
            (&["SIP;cause=486, Q.850;cause=17"], Some(Release { q850: Some(17), sip: Some(486) })),
            (
                &["SIP;cause=200;text=\"Call completed elsewhere\"", "Q.850;cause=26"],
                Some(Release { q850: Some(26), sip: Some(200) }),
            ),
            (&["Q.850;text=\"cause=31\";cause=3"], Some(Release::q850(3))),
            (&["Q.850;cause=0"], None),
            (&["Q.850;cause=128"], None),
            (&["Preemption;cause=1", "Q.850"], None),
            (&[], None),
        ];
        for (lines, expected) in table {
            assert_eq!(Release::of(&head(lines)), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for release in [Release::ELSEWHERE, Release::q850(16), Release { q850: Some(38), sip: Some(503) }] {
            let mut head = head(&[]);
            release.write(&mut head);
            assert_eq!(Release::of(&head), Some(release));
        }
    }

    fn head(lines: &[&str]) -> Head {
        let lines: String = lines.iter().map(|line| format!("Reason: {line}\r\n")).collect();
        let text = format!(
            "BYE sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:b@192.0.2.2>;tag=1\r\nTo: <sip:a@192.0.2.1>;tag=2\r\nCall-ID: c\r\nCSeq: 2 BYE\r\n{lines}Content-Length: 0\r\n\r\n"
        );
        match front::open(&bytes::Bytes::from(text), Carrier::Datagram, 65_535) {
            Opened::Message(message) => match *message {
                Message::Request(request) => request.head,
                Message::Response(_) => panic!("a response"),
            },
            _ => panic!("refused"),
        }
    }
}
