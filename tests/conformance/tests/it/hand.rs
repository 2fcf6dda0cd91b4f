//! A phone whose every message the test writes, with the password proved as RFC 7616 says, written once more.

use conformance::net::Net;
use sip::auth::Algorithm;

use crate::stage::{DOMAIN, password};

pub struct Proof {
    pub user: String,
    pub password: String,
    pub algorithm: Algorithm,
    pub nonce: String,
    pub count: u32,
}

impl Proof {
    pub fn of(user: &str, nonce: &str) -> Self {
        let (user, nonce) = (user.to_string(), nonce.to_string());
        Self { password: password(&user), user, algorithm: Algorithm::Sha256, nonce, count: 1 }
    }

    /// RFC 7616 §3.4.1.
    pub fn line(&self, method: &str) -> String {
        self.line_in(DOMAIN, method)
    }

    /// In another realm.
    pub fn line_in(&self, realm: &str, method: &str) -> String {
        let Self { user, password, algorithm, nonce, count } = self;
        let uri = format!("sip:{realm}");
        let ha1 = algorithm.hash(&[user, realm, password]);
        let ha2 = algorithm.hash(&[method, &uri]);
        let response = algorithm.hash(&[&ha1, nonce, &format!("{count:08x}"), "c", "auth", &ha2]);
        format!(
            "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{response}\", algorithm={algorithm}, cnonce=\"c\", qop=auth, nc={count:08x}\r\n"
        )
    }
}

/// The value of a header; panics when there is none.
#[track_caller]
pub fn header<'a>(text: &'a str, name: &str) -> &'a str {
    let prefix = format!("{name}: ");
    text.split("\r\n").find_map(|line| line.strip_prefix(&prefix)).unwrap_or_else(|| panic!("no {name} in {text}"))
}

pub fn body(text: &str) -> &str {
    text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

pub fn status(reply: &str) -> &str {
    reply.split(' ').nth(1).unwrap_or_default()
}

/// A final answer to a request that was heard, with a To tag when it had none.
pub fn answer(request: &str, status: &str, more: &str) -> String {
    let keep = ["Via", "From", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", header(request, name))).concat();
    let to = header(request, "To");
    let tag = if to.contains("tag=") { "" } else { ";tag=hand" };
    format!("SIP/2.0 {status} X\r\n{keep}To: {to}{tag}\r\n{more}Content-Length: 0\r\n\r\n")
}

/// A phone of the box, `user` at `addr`.
pub struct Hand {
    pub node: usize,
    pub user: String,
    pub addr: String,
    asked: u32,
}

/// What a phone says, beside its own name and place.
#[derive(Clone, Copy)]
pub struct Say<'a> {
    pub method: &'a str,
    /// The user part of Request-URI and To.
    pub to: &'a str,
    /// Header lines, each with its end.
    pub more: &'a str,
    pub body: &'a str,
}

impl Hand {
    pub fn new(net: &mut Net, user: &str, addr: &str) -> Self {
        let node = net.talker(user, addr);
        Self { node, user: user.to_string(), addr: addr.to_string(), asked: 0 }
    }

    /// A request outside a dialog; each call another Call-ID.
    pub fn text(&mut self, say: Say<'_>, proof: &str) -> String {
        self.asked += 1;
        let Say { method, to, more, body } = say;
        let Self { user, addr, asked, .. } = self;
        format!(
            "{method} sip:{to}@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {addr};rport;branch=z9hG4bK{method}{user}{asked}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@{DOMAIN}>;tag=f{asked}\r\nTo: <sip:{to}@{DOMAIN}>\r\n\
             Call-ID: {asked}@{addr}\r\nCSeq: {asked} {method}\r\nContact: <sip:{user}@{addr}>\r\n{more}{proof}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// Asks once for a challenge, then with the proof; the first answer to that which is not 100.
    pub fn ask(&mut self, net: &mut Net, hub: usize, say: Say<'_>) -> String {
        let proof = self.proof(net, hub, say.method);
        let text = self.text(say, &proof);
        self.put(net, hub, &text)
    }

    /// Says it and returns the first answer that is not 100; what was heard before is forgotten.
    pub fn put(&mut self, net: &mut Net, hub: usize, text: &str) -> String {
        while net.heard(self.node).is_some() {}
        net.say(self.node, hub, text);
        net.run_ms(20);
        let mut heard = std::iter::from_fn(|| net.heard(self.node));
        heard.find(|text| text.starts_with("SIP/2.0") && status(text) != "100").unwrap_or_default()
    }

    /// A fresh proof for a request of this method.
    pub fn proof(&mut self, net: &mut Net, hub: usize, method: &str) -> String {
        let user = self.user.clone();
        let probe = self.text(Say { method: "REGISTER", to: &user, more: "", body: "" }, "");
        let reply = self.put(net, hub, &probe);
        let challenge = header(&reply, "WWW-Authenticate");
        let nonce = challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
        let algorithm = if challenge.contains("=MD5") { Algorithm::Md5 } else { Algorithm::Sha256 };
        Proof { algorithm, ..Proof::of(&user, nonce) }.line(method)
    }

    pub fn register(&mut self, net: &mut Net, hub: usize) {
        let user = self.user.clone();
        let reply = self.ask(net, hub, Say { method: "REGISTER", to: &user, more: "Expires: 3600\r\n", body: "" });
        assert_eq!(status(&reply), "200", "{reply}");
    }

    /// What was said to it since it last listened.
    pub fn heard(&self, net: &mut Net) -> Vec<String> {
        std::iter::from_fn(|| net.heard(self.node)).collect()
    }
}
