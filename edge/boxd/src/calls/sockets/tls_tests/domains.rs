//! For which domains a certificate is, when its alternative names are URIs (RFC 5922).

use rcgen::SanType;

use super::super::secure::Callers;
use super::*;

/// The alternative names of a certificate are these.
fn named(names: &[SanType]) -> CertificateParams {
    let mut params = params(NAME, IsCa::NoCa);
    params.subject_alt_names = names.to_vec();
    params
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

/// RFC 5922 §7.1.
#[tokio::test]
async fn a_certificate_is_for_the_domains_of_its_sip_uris_and_then_for_no_dns_name() {
    let ca = root("CA", BasicConstraints::Unconstrained);
    let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let table: [(&[SanType], bool); 7] = [
        (&[uri("sip:sip.carrier.example")], true),
        (&[uri("SIP:SIP.Carrier.Example"), dns("sip.other.example")], true),
        (&[uri("sip:sip.other.example"), uri("sip:sip.carrier.example")], true),
        (&[uri("sip:sip.other.example"), dns(NAME)], false),
        (&[uri("sip:trunk@sip.carrier.example")], false),
        (&[uri("sips:sip.carrier.example")], false),
        (&[uri("https://sip.carrier.example"), dns(NAME)], true),
    ];
    for (names, good) in table {
        let met = meet(ca.leaf(named(names)), NAME, None, ca.roots()).await;
        assert_eq!(met.is_ok(), good, "{names:?}: {met:?}");
        // Who calls is judged by the same rule.
        let leaf = ca.leaf(named(names)).chain.remove(0);
        let known = TlsTrunk { name: Some(NAME.to_owned()), pin: None, by_certificate: true };
        let own = ca.leaf(params("127.0.0.1", IsCa::NoCa));
        let callers = Callers::new([("carrier".to_owned(), &known)].into_iter(), &own, ca.roots()).unwrap().unwrap();
        assert_eq!(callers.who(Some(&[leaf])).is_ok(), good, "{names:?}");
    }
    let other = root("Other", BasicConstraints::Unconstrained);
    let met = meet(other.leaf(named(&[uri("sip:sip.carrier.example")])), NAME, None, ca.roots()).await;
    assert!(met.is_err(), "a URI is no way around the chain");
}
