//! The same question in other spellings (RFC 3261 §7.3, RFC 4475), and in sizes that hurt.

use super::basics::silent;
use super::{Probe, probe};
use crate::draft::{Draft, Spelling};
use crate::said;
use crate::ua::Ua;
use crate::verdict::Verdict;

pub const PROBES: &[Probe] = &[
    probe!(
        "compact",
        "RFC 3261 §7.3.3",
        Nothing,
        ALL_KINDS,
        compact,
        "Compact header names are understood",
        "理解紧凑头域名",
        "Carriers use compact forms on UDP: update the firmware.",
        "运营商在 UDP 上会使用紧凑形式：请升级固件。"
    ),
    probe!(
        "folded",
        "RFC 3261 §7.3.1",
        Nothing,
        ALL_KINDS,
        folded,
        "Folded lines, odd case and spaces are understood",
        "理解折行、大小写与空格变化",
        "Some carriers fold long headers: update the firmware.",
        "部分运营商会折行长头域：请升级固件。"
    ),
    probe!(
        "long-header",
        "RFC 4475 §3.1.1.7",
        Nothing,
        ALL_KINDS,
        long_header,
        "A header of 900 bytes does no harm",
        "900 字节的头域不造成影响",
        "Calls with long identities will fail: keep such headers out by the trunk's list.",
        "带长身份头域的呼叫会失败：请用中继头域列表将其过滤。"
    ),
    probe!(
        "large-udp",
        "RFC 3261 §18.1.1",
        Nothing,
        ALL_KINDS,
        large_udp,
        "A message of 4,000 bytes over UDP arrives",
        "4000 字节的 UDP 消息可送达",
        "Fragments are lost on the way or refused: use TCP or TLS for this device.",
        "分片在途中丢失或被拒绝：请对该设备使用 TCP 或 TLS。"
    ),
    probe!(
        "unknown-header",
        "RFC 3261 §8.2.2",
        Nothing,
        ALL_KINDS,
        unknown_header,
        "Unknown headers are passed over",
        "忽略未知头域",
        "Update the firmware; extensions of the carrier will break calls.",
        "请升级固件；运营商的扩展头域会使呼叫失败。"
    ),
    probe!(
        "malformed",
        "RFC 3261 §8.1.1.5, RFC 4475 §3.1.2",
        Nothing,
        ALL_KINDS,
        malformed,
        "A malformed request is refused, and the next one answered",
        "拒绝畸形请求，且后续请求正常",
        "The device can be stopped by one packet: keep it in a network of its own.",
        "一个数据包即可使设备失效：请将其置于独立网络。"
    ),
];

async fn answered(ua: &Ua, draft: Draft) -> Verdict {
    let plain = ua.ask(ua.options()).await;
    let reply = ua.ask(draft).await;
    let (words, usual) = (reply.words(), plain.words());
    match (plain.status(), reply.status()) {
        (None, _) => Verdict::skipped(said!("OPTIONS itself is not answered", "OPTIONS 本身没有应答")),
        (_, None) => {
            Verdict::fail(said!("not answered, while the plain form gets {usual}", "没有应答，而普通写法得到 {usual}"))
        }
        (Some(plain), Some(other)) if plain == other => {
            Verdict::pass(said!("{words}, as the plain form", "{words}，与普通写法一致"))
        }
        (Some(_), Some(_)) => {
            Verdict::fail(said!("{words}, while the plain form gets {usual}", "{words}，而普通写法得到 {usual}"))
        }
    }
}

async fn compact(ua: Ua) -> Verdict {
    answered(&ua, ua.options().with("Supported", "100rel").spelled(Spelling::Compact)).await
}

async fn folded(ua: Ua) -> Verdict {
    answered(&ua, ua.options().with("Subject", "lab").spelled(Spelling::Folded)).await
}

async fn long_header(ua: Ua) -> Verdict {
    answered(&ua, ua.options().with("Subject", "long ".repeat(180).trim().to_string())).await
}

async fn unknown_header(ua: Ua) -> Verdict {
    answered(&ua, ua.options().with("X-Branchline-Lab", "a;b=\"c, d\"").with("P-Unknown", "<sip:x@y>")).await
}

async fn large_udp(ua: Ua) -> Verdict {
    let mut draft = ua.options();
    for line in 0..10 {
        draft = draft.with(&format!("X-Lab-{line}"), "x".repeat(380));
    }
    let reply = ua.ask(draft).await;
    let words = reply.words();
    match reply.status() {
        Some(200..=299) => Verdict::pass(said!("{words}", "{words}")),
        Some(513) => Verdict::warn(said!("refused by name: {words}", "明确拒绝：{words}")),
        Some(_) => Verdict::pass(said!("it arrived: {words}", "已送达：{words}")),
        None => Verdict::warn(said!("it did not arrive, or was dropped", "未送达或被丢弃")),
    }
}

async fn malformed(ua: Ua) -> Verdict {
    // CSeq's method is not the request's (RFC 4475 §3.1.2.17).
    let cseq = ua.options();
    let broken = cseq.clone().set("CSeq", format!("{} INVITE", cseq.cseq));
    let reply = ua.ask_for(broken, std::time::Duration::from_secs(1)).await;
    let after = ua.ask(ua.options()).await;
    let words = reply.words();
    match (after.status(), reply.status()) {
        (None, _) => Verdict::fail(silent()),
        (Some(_), Some(200..=299)) => Verdict::warn(said!("it was taken for good: {words}", "被当作正常请求：{words}")),
        (Some(_), Some(_)) => Verdict::pass(said!("{words}, and it lives on", "{words}，且设备仍正常")),
        (Some(_), None) => Verdict::pass(said!("dropped, and it lives on", "被丢弃，且设备仍正常")),
    }
}
