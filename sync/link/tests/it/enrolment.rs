//! A code becomes an identity, once.

use std::collections::BTreeMap;

use link::{
    enrol::{Code, Error, enrol},
    identity::{Identity, sha256},
    opening::{EnrolAnswer, Refusal},
    server::{Arrival, Server},
};
use rcgen::ExtendedKeyUsagePurpose;

use crate::authority::{Authority, SOUND, peer, soon};

const TOKEN: &str = "ABCDEFGH23456789";

/// A cloud that knows one token, and who used it.
async fn clerk(mut server: Server, authority: Authority, refusals: u32) {
    let mut used: BTreeMap<String, [u8; 32]> = BTreeMap::new();
    let mut left = refusals;
    while let Some(arrival) = server.next().await {
        let Arrival::Enrol(arrival) = arrival else { panic!("only enrolments come here") };
        let refused = |reason| EnrolAnswer::Refused { reason, retry_after_ms: 0 };
        let key = sha256(&arrival.request.csr);
        let answer = match used.get(&arrival.request.token) {
            _ if arrival.request.token != TOKEN => refused(Refusal::UnknownToken),
            Some(_) => refused(Refusal::UsedToken),
            None if left > 0 => {
                left -= 1;
                EnrolAnswer::Refused { reason: Refusal::Overload, retry_after_ms: 1500 }
            }
            None => {
                used.insert(arrival.request.token.clone(), key);
                let certificate = authority.sign(&arrival.request.csr, &peer("north"), SOUND);
                EnrolAnswer::Granted { certificate: certificate.into(), ca: authority.pem.clone().into() }
            }
        };
        arrival.answer(answer).await;
    }
}

fn code(authority: &Authority, token: &str) -> Code {
    Code { token: token.into(), ca_sha256: sha256(&authority.der) }
}

#[tokio::test]
async fn a_code_becomes_an_identity_once() {
    let authority = Authority::new();
    let (server, address) = authority.cloud();
    let (good, wrong) = (code(&authority, TOKEN), code(&authority, "WRONGTOKEN"));
    tokio::spawn(clerk(server, authority, 0));
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());

    let refused = soon(enrol(&address, &wrong, dir.path(), [0, 1, 0])).await;
    assert!(matches!(refused, Err(Error::Refused { reason: Refusal::UnknownToken, .. })));
    assert!(Identity::load(dir.path()).is_err());

    let enrolled = soon(enrol(&address, &good, dir.path(), [0, 1, 0])).await.unwrap();
    assert_eq!(enrolled, peer("north"));
    assert_eq!(Identity::load(dir.path()).unwrap().peer, enrolled);

    let again = soon(enrol(&address, &good, other.path(), [0, 1, 0])).await;
    assert!(matches!(again, Err(Error::Refused { reason: Refusal::UsedToken, .. })));
}

#[tokio::test]
async fn a_refusal_says_when_to_come_back_and_the_key_stays() {
    let authority = Authority::new();
    let (server, address) = authority.cloud();
    let code = code(&authority, TOKEN);
    tokio::spawn(clerk(server, authority, 1));
    let dir = tempfile::tempdir().unwrap();
    let refused = soon(enrol(&address, &code, dir.path(), [0, 1, 0])).await;
    let Err(Error::Refused { retry_after, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(retry_after.as_millis(), 1500);
    let key = std::fs::read(dir.path().join("key.pem")).unwrap();
    soon(enrol(&address, &code, dir.path(), [0, 1, 0])).await.unwrap();
    assert_eq!(std::fs::read(dir.path().join("key.pem")).unwrap(), key);
}

#[tokio::test]
async fn a_cloud_of_another_organisation_never_sees_the_token() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (mut server, address) = theirs.cloud();
    let dir = tempfile::tempdir().unwrap();
    let result = soon(enrol(&address, &code(&ours, TOKEN), dir.path(), [0, 1, 0])).await;
    assert!(matches!(result, Err(Error::Connect(_))), "{result:?}");
    let seen = tokio::time::timeout(std::time::Duration::from_millis(300), server.next()).await;
    assert!(seen.is_err(), "nothing arrived");
}

#[tokio::test]
async fn a_box_cannot_play_the_cloud() {
    let authority = Authority::new();
    let server = authority.server(ExtendedKeyUsagePurpose::ClientAuth);
    let address = server.local_address().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    let result = soon(enrol(&address, &code(&authority, TOKEN), dir.path(), [0, 1, 0])).await;
    assert!(matches!(result, Err(Error::Connect(_))), "{result:?}");
}
