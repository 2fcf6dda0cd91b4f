//! What a NOTIFY tells: the lines of a phone (RFC 4235 §4) or its mailbox (RFC 3842 §5.2).

use bytes::Bytes;

use super::Summary;
use crate::dialog::{Line, LineState};

/// RFC 4235 §4.1. A phone without a call shows one ended line: many makes switch their lamp off by nothing else.
pub fn dialog_info(entity: &str, version: u32, lines: &[Line]) -> Bytes {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" \
         version=\"{version}\" state=\"full\" entity=\"{}\">\r\n",
        escaped(entity)
    );
    for line in lines {
        text.push_str(&dialog(line));
    }
    if lines.is_empty() {
        text.push_str("<dialog id=\"0\"><state>terminated</state></dialog>\r\n");
    }
    text.push_str("</dialog-info>\r\n");
    text.into()
}

fn dialog(line: &Line) -> String {
    let direction = if line.calls { "initiator" } else { "recipient" };
    let state = match line.state {
        LineState::Trying => "trying",
        LineState::Early => "early",
        LineState::Confirmed => "confirmed",
    };
    let names = line.pickup.as_ref().map(|pickup| {
        format!(
            " call-id=\"{}\" local-tag=\"{}\" remote-tag=\"{}\"",
            escaped(&pickup.call_id),
            escaped(&pickup.local_tag),
            escaped(&pickup.remote_tag)
        )
    });
    let names = names.unwrap_or_default();
    format!("<dialog id=\"{}\"{names} direction=\"{direction}\"><state>{state}</state></dialog>\r\n", line.dialog.0)
}

/// RFC 3842 §5.2.
pub fn summary(account: &str, summary: Summary) -> Bytes {
    let Summary { new, old } = summary;
    let waiting = if new > 0 { "yes" } else { "no" };
    Bytes::from(format!(
        "Messages-Waiting: {waiting}\r\nMessage-Account: {account}\r\nVoice-Message: {new}/{old} (0/0)\r\n"
    ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialog::Pickup;
    use crate::endpoint::DialogId;

    #[test]
    fn a_ringing_phone_tells_how_its_call_can_be_taken_and_a_quiet_one_shows_an_ended_line() {
        let pickup = Pickup { call_id: "a&b".into(), local_tag: "<l>".into(), remote_tag: "\"r\"".into() };
        let line = Line { dialog: DialogId(7), calls: false, state: LineState::Early, pickup: Some(pickup) };
        let text = String::from_utf8(dialog_info("sip:101@h", 3, &[line]).to_vec()).unwrap();
        assert!(
            text.ends_with(
                "version=\"3\" state=\"full\" entity=\"sip:101@h\">\r\n\
                 <dialog id=\"7\" call-id=\"a&amp;b\" local-tag=\"&lt;l&gt;\" remote-tag=\"&quot;r&quot;\" \
                 direction=\"recipient\"><state>early</state></dialog>\r\n</dialog-info>\r\n"
            ),
            "{text}"
        );
        assert!(
            dialog_info("sip:101@h", 0, &[]).ends_with(b"<state>terminated</state></dialog>\r\n</dialog-info>\r\n")
        );
    }

    #[test]
    fn a_mailbox_says_whether_something_new_is_in_it() {
        let of = |new, old| String::from_utf8(summary("sip:101@h", Summary { new, old }).to_vec()).unwrap();
        assert_eq!(of(2, 8), "Messages-Waiting: yes\r\nMessage-Account: sip:101@h\r\nVoice-Message: 2/8 (0/0)\r\n");
        assert!(of(0, 8).starts_with("Messages-Waiting: no\r\n"));
    }
}
