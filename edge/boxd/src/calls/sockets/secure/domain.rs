//! For which SIP domains a certificate is (RFC 5922 §7.1): the hosts of `sip:` URIs without a user among its alternative
//! names; DNS names and addresses only where there is no such URI.

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error};
use sip::uri::{Host, Uri};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Alternative names that are looked at.
const NAMES_MAX: usize = 200;

/// Whether `leaf` is for `name`, chain and dates aside.
pub fn is_for(leaf: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
    let domains = domains(leaf);
    if domains.is_empty() {
        return verify_server_name(&ParsedCertificate::try_from(leaf)?, name);
    }
    let name = name.to_str();
    let wanted = name.parse().map(Host::Ip).or_else(|_| Host::parse(&name));
    if wanted.is_ok_and(|wanted| domains.contains(&written(&wanted))) {
        Ok(())
    } else {
        Err(Error::InvalidCertificate(CertificateError::NotValidForName))
    }
}

/// SIP domains that it names by URI. A `sips:` URI is none, and one with a user is a person's (RFC 5922 §7.1).
pub fn domains(leaf: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(leaf) else { return Vec::new() };
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let uris = names.value.general_names.iter().take(NAMES_MAX).filter_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    });
    uris.filter_map(domain).collect()
}

/// RFC 5922 §7.2: letters of either case are the same.
fn written(host: &Host) -> String {
    host.to_string().to_ascii_lowercase()
}

fn domain(text: &str) -> Option<String> {
    let is_sip = text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sip:"));
    if !is_sip || text.contains('@') {
        return None;
    }
    Uri::parse(text).ok()?.host().map(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_the_host_of_a_sip_uri_without_a_user() {
        assert_eq!(domain("sip:carrier.example").as_deref(), Some("carrier.example"));
        assert_eq!(domain("SIP:Carrier.Example;transport=tls").as_deref(), Some("carrier.example"));
        assert_eq!(domain("sip:[2001:db8::1]:5061").as_deref(), Some("[2001:db8::1]"));
        for none in ["sips:carrier.example", "sip:ann@carrier.example", "https://carrier.example", "sip:", "im:a"] {
            assert_eq!(domain(none), None, "{none}");
        }
    }
}
