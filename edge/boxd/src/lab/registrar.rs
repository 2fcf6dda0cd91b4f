//! A phone that registers at the lab itself: the box's own registrar on the lab's socket. It asks for SHA-256 first, and for
//! MD5 when the phone has failed at that.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use bytes::Bytes;
use lab::plan::{Account, Registered};
use rand::Rng;
use sip::{
    auth::Algorithm,
    endpoint::{Config, Endpoint, Event, Flow, Input, Output, PhoneAuth, Transport},
    uri::{Host, Uri},
};
use tokio::{net::UdpSocket, time::timeout};

/// How long somebody has to set the phone up.
const WAIT: Duration = Duration::from_secs(300);
const DATAGRAM_MAX: usize = 65_535;

/// Answers one phone's REGISTERs, and nothing else.
pub struct Registrar {
    endpoint: Endpoint,
    account: Account,
    local: SocketAddr,
    sha256: bool,
    /// The branch of the last REGISTER that proved nothing: it was challenged.
    unproved: Option<String>,
}

/// Where the phone is, and how it said so.
pub struct Found {
    pub contact: Uri,
    pub address: SocketAddr,
    pub seen: Registered,
}

impl Registrar {
    pub fn new(account: Account, local: SocketAddr) -> Self {
        let endpoint = endpoint(&account, local, true);
        Self { endpoint, account, local, sha256: true, unproved: None }
    }

    /// Whether a datagram is for the registrar.
    pub fn is_for(bytes: &[u8]) -> bool {
        bytes.starts_with(b"REGISTER ")
    }

    /// What is said in reply, and to whom; the phone's place when it has proved its password.
    pub fn hear(&mut self, now: Instant, from: SocketAddr, bytes: Bytes) -> (Vec<(Bytes, SocketAddr)>, Option<Found>) {
        if self.begins_again(&bytes) && self.sha256 {
            (self.sha256, self.endpoint) = (false, endpoint(&self.account, self.local, false));
        }
        let flow = Flow { transport: Transport::Udp, local: self.local, remote: from, connection: 0 };
        self.endpoint.handle_timeout(now);
        self.endpoint.handle_input(now, Input::Received { flow, bytes });
        let (mut replies, mut found) = (Vec::new(), None);
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Send { flow, bytes } => replies.push((bytes, flow.remote)),
                Output::Event(Event::Registered { binding, .. }) => {
                    self.unproved = None;
                    let Ok(contact) = Uri::parse(&binding.contact) else { continue };
                    let written = match contact.host() {
                        Some(Host::Ip(ip)) => Some(SocketAddr::new(*ip, contact.port().unwrap_or(5060))),
                        _ => None,
                    };
                    let seen = Registered {
                        sha256: self.sha256,
                        expires_s: binding.expires_s,
                        contact_fits: written == Some(from),
                    };
                    found = Some(Found { contact, address: from, seen });
                }
                _ => {}
            }
        }
        (replies, found)
    }

    /// A phone that was challenged, and tries anew without a proof: it does not know how.
    fn begins_again(&mut self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let has =
            |name: &str| text.lines().any(|line| line.get(..name.len()).is_some_and(|l| l.eq_ignore_ascii_case(name)));
        if has("Authorization:") {
            return false;
        }
        let branch =
            text.split("branch=").nth(1).and_then(|rest| rest.split([';', ',', '\r', ' ']).next()).map(str::to_owned);
        let before = std::mem::replace(&mut self.unproved, branch.clone());
        before.is_some() && before != branch
    }

    /// Until the phone has registered.
    pub async fn wait(&mut self, socket: &UdpSocket) -> anyhow::Result<Found> {
        let mut buffer = vec![0; DATAGRAM_MAX];
        let waiting = async {
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await?;
                let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
                if !Self::is_for(&bytes) {
                    continue;
                }
                let (replies, found) = self.hear(Instant::now(), from, bytes);
                for (bytes, to) in replies {
                    socket.send_to(&bytes, to).await?;
                }
                if let Some(found) = found {
                    return Ok::<_, std::io::Error>(found);
                }
            }
        };
        match timeout(WAIT, waiting).await {
            Ok(found) => found.context("the lab's socket"),
            Err(_) => bail!("the phone did not register within {} s", WAIT.as_secs()),
        }
    }
}

fn endpoint(account: &Account, local: SocketAddr, sha256: bool) -> Endpoint {
    // The realm is whatever domain the phone calls itself of: the lab's own address.
    let domain = local.ip().to_string();
    let hash = |algorithm: Algorithm| algorithm.hash(&[&account.user, &domain, &account.password]);
    let auth = PhoneAuth { ha1_sha256: hash(Algorithm::Sha256), ha1_md5: (!sha256).then(|| hash(Algorithm::Md5)) };
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    let config = Config {
        domain,
        local: vec![local],
        phones: BTreeMap::from([(account.user.clone(), auth)]),
        product: concat!("Branchline-lab/", env!("CARGO_PKG_VERSION")).into(),
        ..Config::default()
    };
    Endpoint::new(config, seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(n: u32, proof: &str) -> Bytes {
        Bytes::from(format!(
            "REGISTER sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK{n}\r\nMax-Forwards: 70\r\n\
             From: <sip:101@192.0.2.1>;tag=f\r\nTo: <sip:101@192.0.2.1>\r\nCall-ID: c\r\nCSeq: {n} REGISTER\r\n\
             Contact: <sip:101@192.0.2.9:5070>;expires=120\r\n{proof}Content-Length: 0\r\n\r\n"
        ))
    }

    /// The proof of a challenge, by one of the algorithms.
    fn proof(challenge: &str, algorithm: Algorithm) -> String {
        let nonce = challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
        let ha1 = algorithm.hash(&["101", "192.0.2.1", "secret"]);
        let ha2 = algorithm.hash(&["REGISTER", "sip:192.0.2.1"]);
        let response = algorithm.hash(&[&ha1, nonce, "00000001", "x", "auth", &ha2]);
        format!(
            "Authorization: Digest username=\"101\",realm=\"192.0.2.1\",nonce=\"{nonce}\",uri=\"sip:192.0.2.1\",\
             response=\"{response}\",algorithm={algorithm},qop=auth,nc=00000001,cnonce=\"x\"\r\n"
        )
    }

    fn ask(registrar: &mut Registrar, bytes: Bytes) -> (String, Option<Found>) {
        let (replies, found) = registrar.hear(Instant::now(), "192.0.2.9:5070".parse().unwrap(), bytes);
        (String::from_utf8(replies[0].0.to_vec()).unwrap(), found)
    }

    fn registrar() -> Registrar {
        let account = Account { user: "101".into(), password: "secret".into() };
        Registrar::new(account, "192.0.2.1:5060".parse().unwrap())
    }

    #[test]
    fn a_phone_that_knows_sha_256_is_found_where_it_speaks_from() {
        let mut lab = registrar();
        let (challenge, none) = ask(&mut lab, register(1, ""));
        assert!(challenge.starts_with("SIP/2.0 401") && challenge.contains("SHA-256") && none.is_none(), "{challenge}");
        let (ok, found) = ask(&mut lab, register(2, &proof(&challenge, Algorithm::Sha256)));
        let found = found.unwrap_or_else(|| panic!("{ok}"));
        assert_eq!(found.contact.to_string(), "sip:101@192.0.2.9:5070");
        assert_eq!(found.seen, Registered { sha256: true, expires_s: 120, contact_fits: true });
    }

    #[test]
    fn one_that_knows_md5_alone_is_asked_for_that_after_it_has_failed() {
        let mut lab = registrar();
        for _ in 0..3 {
            let (again, _) = ask(&mut lab, register(1, ""));
            assert!(again.contains("SHA-256"), "the same REGISTER again: {again}");
        }
        let (last, _) = ask(&mut lab, register(2, ""));
        assert!(last.contains("algorithm=MD5"), "{last}");
        let (ok, found) = ask(&mut lab, register(9, &proof(&last, Algorithm::Md5)));
        assert!(found.is_some_and(|found| !found.seen.sha256), "{ok}");
    }
}
