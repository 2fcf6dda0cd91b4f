//! Registration and digest (RFC 3261 §10, §22; RFC 7616, RFC 8760), with the account that was given.

use sip::message::{Contacts, Response};

use super::basics::silent;
use super::{Probe, probe};
use crate::draft::Draft;
use crate::plan::Link;
use crate::said;
use crate::ua::{Reply, Ua};
use crate::verdict::Verdict;

/// Seconds we ask for.
const EXPIRES_S: u32 = 120;

pub const PROBES: &[Probe] = &[
    probe!(
        "register",
        "RFC 3261 §10.3",
        Account,
        LINES,
        register,
        "REGISTER is accepted and says how long it holds",
        "接受 REGISTER 并返回有效期",
        "Check user, password and domain; ask the carrier for the address-of-record it expects.",
        "请核对用户名、密码与域名；向运营商确认其要求的 AOR。"
    ),
    probe!(
        "digest",
        "RFC 8760, RFC 7616",
        Account,
        LINES,
        digest,
        "The challenge is one of today's: SHA-256, qop and a nonce",
        "挑战使用现代算法：SHA-256、qop 与 nonce",
        "MD5 proofs can be guessed off-line: use TLS to this peer and a long password.",
        "MD5 可被离线破解：请对该对端使用 TLS 与长密码。"
    ),
    probe!(
        "password-wrong",
        "RFC 3261 §22",
        Account,
        LINES,
        password_wrong,
        "A wrong password is refused",
        "错误密码被拒绝",
        "Anybody can register as you: do not use this peer without an address list.",
        "任何人都能冒充您注册：没有访问列表时请勿使用该对端。"
    ),
    probe!(
        "register-refresh",
        "RFC 3261 §10.2.4",
        Account,
        LINES,
        refresh,
        "A refresh keeps one binding, not two",
        "刷新后仍是一个绑定",
        "Stale bindings make calls ring nowhere: use a short expiry.",
        "过期绑定会使来电无处振铃：请使用较短有效期。"
    ),
    probe!(
        "register-short",
        "RFC 3261 §10.2.8",
        Account,
        LINES,
        short,
        "A too short expiry is lengthened, granted or refused with 423",
        "过短的有效期被延长、接受或以 423 拒绝",
        "Set the box's expiry to what the carrier documents.",
        "请将有效期设为运营商文档的数值。"
    ),
    probe!(
        "register-query",
        "RFC 3261 §10.2.3",
        Account,
        LINES,
        query,
        "A REGISTER without Contact tells the bindings",
        "无 Contact 的 REGISTER 返回绑定",
        "Only diagnosis suffers.",
        "仅影响诊断。"
    ),
    probe!(
        "unregister",
        "RFC 3261 §10.2.2",
        Account,
        LINES,
        unregister,
        "Expires 0 removes the binding",
        "Expires 0 删除绑定",
        "After a move of the box calls may go to the old address until the binding expires.",
        "更换地址后，在绑定过期前来电可能仍发往旧地址。"
    ),
];

async fn register(ua: Ua) -> Verdict {
    let reply = ua.prove(draft(&ua, EXPIRES_S)).await;
    let words = reply.words();
    let Some(response) = reply.response() else { return Verdict::fail(silent()) };
    if !reply.is_ok() {
        return Verdict::fail(said!("{words}", "{words}"));
    }
    match granted(&ua, response) {
        Some(seconds) => Verdict::pass(said!("for {seconds} s", "有效期 {seconds} 秒")),
        None if bindings(response) == 0 => {
            Verdict::fail(said!("200, but our Contact is not among the bindings", "200，但绑定中没有我方 Contact"))
        }
        None => Verdict::warn(said!("200, but no expiry is told", "200，但未告知有效期")),
    }
}

fn draft(ua: &Ua, expires_s: u32) -> Draft {
    let (domain, user) = (ua.plan(crate::plan::Plan::domain), ua.user());
    let draft = ua.draft("REGISTER", &format!("sip:{domain}"));
    let draft = draft.set("To", format!("<sip:{user}@{domain}>"));
    draft.with("Contact", ua.contact(Link::Udp)).with("Expires", expires_s.to_string())
}

/// The seconds our own binding got.
fn granted(ua: &Ua, response: &Response) -> Option<u32> {
    let local = ua.plan(|plan| plan.local);
    let Contacts::List(list) = &response.head.contacts else { return None };
    let ours = list.iter().find(|contact| contact.uri.to_string().contains(&local.to_string()))?;
    let own = ours.params.get("expires").and_then(|expires| expires.parse().ok());
    own.or_else(|| response.head.field("Expires")?.trim().parse().ok())
}

fn bindings(response: &Response) -> usize {
    match &response.head.contacts {
        Contacts::List(list) => list.len(),
        Contacts::None | Contacts::Star => 0,
    }
}

async fn digest(ua: Ua) -> Verdict {
    let reply = ua.ask(draft(&ua, EXPIRES_S)).await;
    let words = reply.words();
    let Some(response) = reply.response() else { return Verdict::fail(silent()) };
    if !matches!(response.status, 401 | 407) {
        return match reply.is_ok() {
            true => Verdict::warn(said!("no password was asked for", "未要求密码")),
            false => Verdict::fail(said!("{words} where 401 was due", "应答 {words}（应为 401）")),
        };
    }
    let asked: Vec<&str> =
        response.head.all("WWW-Authenticate").chain(response.head.all("Proxy-Authenticate")).collect();
    let has = |word: &str| asked.iter().any(|one| one.to_ascii_lowercase().contains(word));
    let algorithms: Vec<&str> = [("sha-512-256", "SHA-512-256"), ("sha-256", "SHA-256"), ("md5", "MD5")]
        .into_iter()
        .filter_map(|(word, name)| has(word).then_some(name))
        .collect();
    let list = if algorithms.is_empty() { "MD5 (unnamed)".to_string() } else { algorithms.join(", ") };
    if !has("nonce=") || !has("realm=") {
        return Verdict::fail(said!("a challenge without nonce or realm", "挑战缺少 nonce 或 realm"));
    }
    if ua.proof(&reply).is_none() {
        return Verdict::fail(said!("a challenge nobody can answer: {list}", "无法应答的挑战：{list}"));
    }
    match (has("sha-256"), has("qop")) {
        (true, true) => Verdict::pass(said!("{list}", "{list}")),
        (_, false) => Verdict::warn(said!("{list}, without qop: a proof can be replayed", "{list}，无 qop：可被重放")),
        (false, true) => Verdict::warn(said!("{list} only", "仅 {list}")),
    }
}

async fn password_wrong(ua: Ua) -> Verdict {
    let reply = ua.ask(draft(&ua, EXPIRES_S)).await;
    let Some(response) = reply.response() else { return Verdict::fail(silent()) };
    let Some(wrong) = ua.proof_with(&reply.asked, response, Some("not-the-password-1")) else {
        return Verdict::skipped(said!("no challenge to answer", "没有可应答的挑战"));
    };
    let reply = ua.ask(wrong).await;
    let words = reply.words();
    match reply.status() {
        Some(200..=299) => Verdict::fail(said!("{words}: it was accepted", "{words}：被接受")),
        Some(_) => Verdict::pass(said!("{words}", "{words}")),
        None => Verdict::pass(said!("dropped in silence", "被静默丢弃")),
    }
}

async fn twice(ua: &Ua) -> Option<(Reply, Reply)> {
    let first = ua.prove(draft(ua, EXPIRES_S)).await;
    if !first.is_ok() {
        return None;
    }
    let again = first.asked.clone().again(ua.branch());
    let second = ua.prove(again).await;
    Some((first, second))
}

fn not_registered() -> Verdict {
    Verdict::skipped(said!("registering itself fails", "注册本身失败"))
}

async fn refresh(ua: Ua) -> Verdict {
    let Some((_, second)) = twice(&ua).await else { return not_registered() };
    let words = second.words();
    let local = ua.plan(|plan| plan.local).to_string();
    match second.response() {
        None => Verdict::fail(silent()),
        Some(response) if second.is_ok() => {
            let list = match &response.head.contacts {
                Contacts::List(list) => list.as_slice(),
                Contacts::None | Contacts::Star => &[],
            };
            let ours = list.iter().filter(|contact| contact.uri.to_string().contains(&local)).count();
            Verdict::of(ours == 1, said!("our binding stands there {ours} times", "我方绑定出现 {ours} 次"))
        }
        Some(_) => Verdict::fail(said!("the refresh got {words}", "刷新得到 {words}")),
    }
}

async fn short(ua: Ua) -> Verdict {
    let reply = ua.prove(draft(&ua, 1)).await;
    let words = reply.words();
    match reply.response() {
        None => Verdict::fail(silent()),
        Some(response) if response.status == 423 => match response.head.field("Min-Expires") {
            Some(least) => Verdict::pass(said!("423, at least {least} s", "423，至少 {least} 秒")),
            None => Verdict::fail(said!("423 without Min-Expires", "423 但缺少 Min-Expires")),
        },
        Some(response) if reply.is_ok() => {
            let seconds = granted(&ua, response).unwrap_or(0);
            Verdict::pass(said!("{seconds} s were granted", "给予 {seconds} 秒"))
        }
        Some(_) => Verdict::warn(said!("{words} where 423 or 200 was due", "应答 {words}（应为 423 或 200）")),
    }
}

async fn query(ua: Ua) -> Verdict {
    let first = ua.prove(draft(&ua, EXPIRES_S)).await;
    if !first.is_ok() {
        return not_registered();
    }
    let mut asked = draft(&ua, EXPIRES_S);
    asked.headers.retain(|(name, _)| !matches!(name.as_str(), "Contact" | "Expires"));
    let reply = ua.prove(asked).await;
    let words = reply.words();
    match reply.response() {
        Some(response) if reply.is_ok() => {
            let count = bindings(response);
            if count > 0 {
                Verdict::pass(said!("{count} told", "返回 {count} 个"))
            } else {
                Verdict::warn(said!("200 without bindings", "200 但没有绑定"))
            }
        }
        _ => Verdict::warn(said!("{words}", "{words}")),
    }
}

async fn unregister(ua: Ua) -> Verdict {
    let first = ua.prove(draft(&ua, EXPIRES_S)).await;
    if !first.is_ok() {
        return not_registered();
    }
    let mut again = first.asked.clone().again(ua.branch());
    again = again.set("Expires", "0");
    let reply = ua.prove(again).await;
    let words = reply.words();
    match reply.response() {
        Some(response) if reply.is_ok() => {
            let left = granted(&ua, response).is_some_and(|seconds| seconds > 0);
            Verdict::of(
                !left,
                if left {
                    said!("200, but our binding is still there", "200，但我方绑定仍在")
                } else {
                    said!("the binding is gone", "绑定已删除")
                },
            )
        }
        _ => Verdict::fail(said!("{words}", "{words}")),
    }
}
