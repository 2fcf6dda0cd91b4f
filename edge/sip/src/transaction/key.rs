//! How messages find their transaction (RFC 3261 §17.1.3, §17.2.3), also for peers that speak RFC 2543.

use std::net::IpAddr;

use crate::endpoint::Flow;
use crate::message::{Head, Method, Request, name_of};

/// Transactions that share a branch are told apart by this: CANCEL has its INVITE's branch, ACK belongs to its INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Invite,
    Cancel,
    /// By its name: who uses a branch twice, for two methods, has two transactions.
    Other(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientKey {
    branch: String,
    class: Class,
}

/// Beyond the RFC, the sender's address counts too: nobody else can cancel, acknowledge or repeat.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerKey {
    branch: String,
    sent_by: String,
    source: IpAddr,
    pub class: Class,
}

/// RFC 3261 §8.2.2.2: the same request arriving by two ways.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MergeKey {
    call_id: String,
    from_tag: String,
    cseq: u32,
    class: Class,
}

const COOKIE: &str = "z9hG4bK";

fn class_of(method: Method) -> Class {
    match method {
        Method::Invite | Method::Ack => Class::Invite,
        Method::Cancel => Class::Cancel,
        _ => Class::Other(name_of(method)),
    }
}

impl ClientKey {
    pub fn of(head: &Head) -> Self {
        Self { branch: head.top_branch().to_string(), class: class_of(head.method) }
    }

    pub fn for_invite(mut self) -> Self {
        self.class = Class::Invite;
        self
    }
}

impl ServerKey {
    pub fn of(request: &Request, flow: Flow) -> Self {
        let head = &request.head;
        let written = head.top_branch();
        let sent_by = head.via.first().map(|via| via.sent_by().to_ascii_lowercase()).unwrap_or_default();
        let branch = match written.strip_prefix(COOKIE) {
            Some(unique) if !unique.is_empty() => written.to_string(),
            // RFC 3261 §17.2.3, second list; To tag and Request-URI may differ between an INVITE and its ACK.
            _ => format!("2543 {written} {} {} {}", head.call_id, head.cseq, head.from.tag().unwrap_or_default()),
        };
        Self { branch, sent_by, source: flow.remote.ip(), class: class_of(head.method) }
    }

    pub fn for_invite(mut self) -> Self {
        self.class = Class::Invite;
        self
    }
}

impl MergeKey {
    /// None for a request within a dialog.
    pub fn of(request: &Request) -> Option<Self> {
        let head = &request.head;
        if head.to.tag().is_some() || matches!(head.method, Method::Ack | Method::Cancel) {
            return None;
        }
        let from_tag = head.from.tag().unwrap_or_default().to_string();
        let call_id = head.call_id.as_str().to_string();
        Some(Self { call_id, from_tag, cseq: head.cseq, class: class_of(head.method) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Transport;
    use crate::front::{self, Carrier, Opened};
    use crate::message::Message;

    #[test]
    fn a_branch_that_is_used_for_two_methods_is_two_transactions_but_for_invite_and_ack() {
        let addr = |text: &str| text.parse().unwrap();
        let (local, remote) = (addr("192.0.2.1:5060"), addr("192.0.2.9:5060"));
        let flow = Flow { transport: Transport::Udp, local, remote, connection: 0 };
        let key = |method: &str| {
            let text = format!(
                "{method} sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:a@h>\r\n\
                 Call-ID: c\r\nCSeq: 1 {method}\r\n\r\n"
            );
            match front::open(&text.into(), Carrier::Datagram, 10_000) {
                Opened::Message(message) => match *message {
                    Message::Request(request) => ServerKey::of(&request, flow),
                    Message::Response(_) => panic!("a request"),
                },
                other => panic!("{other:?}"),
            }
        };
        // RFC 3261 §17.2.3; RFC 5118 has a REGISTER and a BYE of one branch.
        assert_ne!(key("REGISTER"), key("BYE"));
        assert_ne!(key("INVITE"), key("CANCEL"));
        assert_eq!(key("INVITE"), key("ACK"));
        assert_eq!(key("CANCEL").for_invite(), key("INVITE"));
    }
}
