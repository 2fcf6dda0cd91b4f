//! Session timers (RFC 4028): offered, refused when too small, refreshed.

use super::{Probe, probe};
use crate::call::{Call, Invite, NoCall};
use crate::plan::Socket;
use crate::said;
use crate::sdp::Written;
use crate::ua::Ua;
use crate::verdict::Verdict;

pub const PROBES: &[Probe] = &[
    probe!(
        "session-timer",
        "RFC 4028 §9",
        Call,
        ALL_KINDS,
        offered,
        "A session timer is agreed on",
        "协商会话计时器",
        "Without a session timer a dead call blocks a line until somebody notices: enable it, 1800 s.",
        "没有会话计时器，断线的通话会一直占线：请启用，1800 秒。"
    ),
    probe!(
        "session-small",
        "RFC 4028 §6",
        Call,
        ALL_KINDS,
        small,
        "A too small session timer is refused with 422 and Min-SE",
        "过小的会话计时以 422 与 Min-SE 拒绝",
        "Keep the session timer at 1800 s for this device.",
        "对该设备请保持 1800 秒。"
    ),
    probe!(
        "session-refresh",
        "RFC 4028 §7",
        Call,
        ALL_KINDS,
        refresh,
        "A refresh keeps the call and the timer",
        "刷新后通话与计时保持",
        "Long calls will be cut: switch session timers off for this device.",
        "长通话会中断：请对该设备关闭会话计时。"
    ),
];

fn timed(ua: &Ua, expires_s: u32) -> Invite {
    let invite = Invite::early(ua).with("Supported", "timer");
    invite.with("Session-Expires", format!("{expires_s};refresher=uac"))
}

/// `Session-Expires` without parameters.
fn seconds(text: &str) -> Option<u32> {
    text.split(';').next()?.trim().parse().ok()
}

async fn offered(ua: Ua) -> Verdict {
    match Call::place_with(&ua, timed(&ua, 1_800)).await {
        Err(none) => none.verdict(),
        Ok(call) => match call.response.head.field("Session-Expires") {
            None => Verdict::not_offered(said!("no Session-Expires in the 200", "200 中没有 Session-Expires")),
            Some(text) => match seconds(text) {
                Some(agreed @ 90..=1_800) => {
                    if text.contains("refresher=") {
                        Verdict::pass(said!("{agreed} s: {text}", "{agreed} 秒：{text}"))
                    } else {
                        Verdict::fail(said!("{text} names no refresher", "{text} 未指明刷新方"))
                    }
                }
                _ => Verdict::fail(said!("{text} where at most 1800 s was offered", "提议至多 1800 秒，应答 {text}")),
            },
        },
    }
}

async fn small(ua: Ua) -> Verdict {
    match Call::place_with(&ua, timed(&ua, 30)).await {
        Ok(call) => match call.response.head.field("Session-Expires").map(str::to_string) {
            None => Verdict::not_offered(said!("no session timer", "没有会话计时器")),
            Some(text) => Verdict::fail(said!("30 s were accepted: {text}", "接受了 30 秒：{text}")),
        },
        Err(NoCall::Refused(response)) if response.status == 422 => match response.head.field("Min-SE") {
            Some(least) => Verdict::pass(said!("422, at least {least} s", "422，至少 {least} 秒")),
            None => Verdict::fail(said!("422 without Min-SE", "422 但缺少 Min-SE")),
        },
        Err(none) => none.verdict(),
    }
}

async fn refresh(ua: Ua) -> Verdict {
    let mut call = match Call::place_with(&ua, timed(&ua, 1_800)).await {
        Ok(call) => call,
        Err(none) => return none.verdict(),
    };
    if call.response.head.field("Session-Expires").is_none() {
        return Verdict::not_offered(said!("no session timer", "没有会话计时器"));
    }
    let offer = Written::offer(ua.plan(|plan| plan.media(Socket::Rtp)));
    let headers = [("Supported", "timer"), ("Session-Expires", "1800;refresher=uac")];
    let reply = call.reinvite(offer, &headers).await;
    let words = reply.words();
    match reply.response() {
        Some(response) if reply.is_ok() => match response.head.field("Session-Expires") {
            Some(text) => Verdict::pass(said!("{words}, {text}", "{words}，{text}")),
            None => Verdict::fail(said!("{words}, but the timer is gone", "{words}，但计时器消失")),
        },
        Some(_) => Verdict::fail(said!("the refresh was refused: {words}", "刷新被拒绝：{words}")),
        None => Verdict::fail(said!("the refresh was not answered", "刷新没有应答")),
    }
}
