//! How a phone registered at the lab itself (RFC 3261 §10, RFC 8760): what the shell's registrar saw before the first probe.

use super::{Probe, probe};
use crate::plan::Registered;
use crate::said;
use crate::ua::Ua;
use crate::verdict::Verdict;

/// A registration that is shorter keeps a phone busy; one that is longer leaves it unreachable after a change of network.
const EXPIRES_S: std::ops::RangeInclusive<u32> = 60..=3_600;

pub const PROBES: &[Probe] = &[
    probe!(
        "phone-register",
        "RFC 3261 §10.2",
        Registrar,
        PHONES,
        register,
        "The phone registers, for a time that suits",
        "话机注册，且有效期合适",
        "Set the phone's registration interval to 60 to 3600 seconds.",
        "请将话机的注册间隔设为 60 至 3600 秒。"
    ),
    probe!(
        "phone-digest",
        "RFC 8760, RFC 7616",
        Registrar,
        PHONES,
        digest,
        "It proves its password with SHA-256",
        "使用 SHA-256 证明密码",
        "MD5 proofs can be guessed off-line: use TLS and a long password, or update the firmware.",
        "MD5 可被离线破解：请使用 TLS 与长密码，或更新固件。"
    ),
    probe!(
        "phone-contact",
        "RFC 3261 §8.1.1.8",
        Registrar,
        PHONES,
        contact,
        "Its Contact names where it is",
        "Contact 指明其实际地址",
        "Switch STUN and NAT settings off on the phone: the box answers to where it speaks from.",
        "请关闭话机的 STUN 与 NAT 选项：本机会回复到其发送地址。"
    ),
];

fn seen(ua: &Ua) -> Result<Registered, Verdict> {
    ua.plan(|plan| plan.registered).ok_or_else(|| Verdict::fail(said!("it did not register", "未注册")))
}

async fn register(ua: Ua) -> Verdict {
    let seconds = match seen(&ua) {
        Ok(Registered { expires_s, .. }) => expires_s,
        Err(verdict) => return verdict,
    };
    let said = said!("for {seconds} s", "有效期 {seconds} 秒");
    if EXPIRES_S.contains(&seconds) { Verdict::pass(said) } else { Verdict::warn(said) }
}

async fn digest(ua: Ua) -> Verdict {
    match seen(&ua) {
        Ok(Registered { sha256: true, .. }) => Verdict::pass(said!("SHA-256", "SHA-256")),
        Ok(_) => Verdict::warn(said!("only with MD5", "仅支持 MD5")),
        Err(verdict) => verdict,
    }
}

async fn contact(ua: Ua) -> Verdict {
    match seen(&ua) {
        Ok(Registered { contact_fits: true, .. }) => Verdict::pass(said!("it does", "一致")),
        Ok(_) => Verdict::warn(said!("it names another address", "指向另一地址")),
        Err(verdict) => verdict,
    }
}
