//! Evidence without secrets: what is kept of a message for the report.

/// Longest message kept, in bytes; the rest is told by its length.
pub const BYTES_MAX: usize = 4_096;

/// Proofs and media keys never reach a report: `Authorization`, `Proxy-Authorization` keep their user and algorithm
/// only, `a=crypto`, ICE passwords and nothing else of SDP is masked.
pub fn mask(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(BYTES_MAX)).unwrap_or_default()).into_owned();
    let mut masked = String::with_capacity(text.len());
    // A folded line belongs to the header before it (RFC 3261 §7.3.1).
    let mut hidden = false;
    for line in text.split_inclusive('\n') {
        if line.starts_with([' ', '\t']) && hidden {
            continue;
        }
        hidden = false;
        let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        if name == "authorization" || name == "proxy-authorization" {
            hidden = true;
            masked.push_str(&proof(line));
        } else if line.starts_with("a=crypto:") || line.starts_with("a=ice-pwd:") {
            let kept = line.split(':').next().unwrap_or_default();
            masked.push_str(&format!("{kept}:***\r\n"));
        } else {
            masked.push_str(line);
        }
    }
    if bytes.len() > BYTES_MAX {
        masked.push_str(&format!("… ({} bytes in all)", bytes.len()));
    }
    masked
}

fn proof(line: &str) -> String {
    let name = line.split(':').next().unwrap_or_default();
    let kept: Vec<&str> = line
        .split(',')
        .map(|part| part.rsplit("Digest ").next().unwrap_or(part).trim())
        .filter(|part| {
            let name = part.split('=').next().unwrap_or_default();
            ["username", "algorithm", "qop"].contains(&name)
        })
        .collect();
    format!("{name}: Digest {}, ***\r\n", kept.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_kept_without_what_proves() {
        let text = "REGISTER sip:h SIP/2.0\r\nAuthorization: Digest username=\"u\", realm=\"r\", nonce=\"n1\",\r\n \
                    response=\"0123\", algorithm=MD5\r\nl: 0\r\n\r\n";
        let masked = mask(text.as_bytes());
        assert!(!masked.contains("0123") && !masked.contains("n1"), "{masked}");
        assert!(masked.contains("username=\"u\"") && masked.contains("l: 0"), "{masked}");
        let sdp = mask(b"v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRET\r\na=sendrecv\r\n");
        assert_eq!(sdp, "v=0\r\na=crypto:***\r\na=sendrecv\r\n");
    }

    #[test]
    fn a_long_message_is_cut_at_the_limit() {
        let masked = mask(&vec![b'x'; BYTES_MAX + 1]);
        assert!(masked.ends_with("… (4097 bytes in all)"));
        assert_eq!(mask(&vec![b'x'; BYTES_MAX]).len(), BYTES_MAX);
    }
}
