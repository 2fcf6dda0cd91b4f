//! The daemon's side of the telephones in desks' pages: accounts are made here, by chance, and known to the SIP endpoint
//! alone; a page's line is a connection like any other.

use std::{net::SocketAddr, sync::Arc};

use desk::{Account, Future, LendError, SipLine, Softphones, Unavailable};
use md5::{Digest, Md5};
use model::AgentId;
use sha2::Sha256;
use sip::endpoint::{self, PhoneAuth, Transport};
use tokio::sync::{mpsc, oneshot, watch};

use super::{desk_ports::Request, sockets::Pages};
use crate::provision::chance;

/// Characters of a password: 119 bits.
const PASSWORD_LEN: usize = 24;
/// Of what tells the accounts of a phone apart.
const NAME_LEN: usize = 12;

pub struct SoftphonesPort {
    pub requests: mpsc::Sender<Request>,
    pub effective: watch::Receiver<Arc<desk::Effective>>,
    pub domain: String,
    pub pages: Pages,
    /// Where the desk is served, and over what.
    pub desk: (Transport, SocketAddr),
}

impl SoftphonesPort {
    fn make(&self, agent: &AgentId) -> Result<(Account, endpoint::Account), LendError> {
        let effective = self.effective.borrow().clone();
        let extension = effective.config.agents.get(agent).and_then(|agent| agent.phone.clone());
        let extension =
            extension.filter(|phone| effective.config.phones.contains_key(phone)).ok_or(LendError::NoPhone)?;
        let name = format!("{extension}-{}", chance(NAME_LEN));
        let password = chance(PASSWORD_LEN);
        // RFC 7616 §3.4.2. MD5, because it is all that the libraries of browsers know; no one guesses such a password.
        let text = format!("{name}:{}:{password}", self.domain);
        let auth = PhoneAuth {
            ha1_sha256: hex::encode(Sha256::digest(&text)),
            ha1_md5: Some(hex::encode(Md5::digest(&text))),
        };
        let lent = endpoint::Account { phone: extension.to_string(), auth };
        Ok((Account { extension, name, password, domain: self.domain.clone() }, lent))
    }
}

impl Softphones for SoftphonesPort {
    fn lend(&self, agent: AgentId) -> Future<'_, Result<Account, LendError>> {
        Box::pin(async move {
            let (account, lent) = self.make(&agent)?;
            let (answer, answered) = oneshot::channel();
            let request = Request::Lend { name: account.name.clone(), lent, answer };
            self.requests.try_send(request).map_err(|_| Unavailable)?;
            answered.await.map_err(|_| Unavailable)?;
            Ok(account)
        })
    }

    fn take_back(&self, name: &str) {
        let (requests, name) = (self.requests.clone(), name.to_owned());
        // However busy the engine is: this is not to be lost.
        tokio::spawn(async move { requests.send(Request::TakeBack { name }).await });
    }

    fn connect(&self, page: SocketAddr) -> Option<SipLine> {
        let (transport, local) = self.desk;
        let (said, heard) = self.pages.connect(transport, local, page)?;
        Some(SipLine { said, heard })
    }
}
