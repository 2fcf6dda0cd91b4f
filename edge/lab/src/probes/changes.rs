//! Changes within a call (RFC 3261 §14, RFC 3311, RFC 3264 §8): hold in all its spellings, resume, other ports, order.

use std::time::Duration;

use super::calls::with_call;
use super::{Probe, probe};
use crate::call::Call;
use crate::plan::Socket;
use crate::said;
use crate::sdp::{Direction, Sdp, Written};
use crate::ua::{Reply, Ua};
use crate::verdict::Verdict;

pub const PROBES: &[Probe] = &[
    probe!(
        "hold-sendonly",
        "RFC 3264 §8.4",
        Call,
        ALL_KINDS,
        hold_sendonly,
        "Hold by sendonly is answered recvonly",
        "以 sendonly 保持得到 recvonly 应答",
        "Callers on hold may hear nothing or be heard: set the hold style of this device to another spelling.",
        "被保持的主叫可能无声或被听到：请为该设备选择其他保持方式。"
    ),
    probe!(
        "hold-inactive",
        "RFC 3264 §8.4",
        Call,
        ALL_KINDS,
        hold_inactive,
        "Hold by inactive is answered inactive",
        "以 inactive 保持得到 inactive 应答",
        "Set the hold style of this device to sendonly.",
        "请将该设备的保持方式设为 sendonly。"
    ),
    probe!(
        "hold-zero",
        "RFC 2543, RFC 3264 §8.4",
        Call,
        ALL_KINDS,
        hold_zero,
        "Hold by the old spelling (c=0.0.0.0) is accepted",
        "接受旧式保持（c=0.0.0.0）",
        "Only old phones write it; keep them away from this device.",
        "只有旧话机使用；请勿与该设备混用。"
    ),
    probe!(
        "hold-silent",
        "RFC 3264 §5.1",
        Call,
        ALL_KINDS,
        hold_silent,
        "On hold it sends no audio",
        "被保持时不发送音频",
        "Who is on hold is heard by music or recording: update the firmware.",
        "被保持方会被听到或录音：请升级固件。"
    ),
    probe!(
        "resume",
        "RFC 3264 §8.4",
        Call,
        ALL_KINDS,
        resume,
        "After hold, audio comes back",
        "取消保持后恢复音频",
        "Calls stay silent after hold: update the firmware or change the hold style.",
        "保持后通话无声：请升级固件或更换保持方式。"
    ),
    probe!(
        "port-change",
        "RFC 3264 §8.3.1",
        Call,
        ALL_KINDS,
        port_change,
        "A re-INVITE moves the audio to another port",
        "re-INVITE 可将音频移到其他端口",
        "Transfers will be one-way: keep the box in the media path (it is by default).",
        "转接后会单向无声：请保持本机中转媒体（默认如此）。"
    ),
    probe!(
        "reinvite-empty",
        "RFC 3261 §14.2",
        Call,
        ALL_KINDS,
        reinvite_empty,
        "A re-INVITE without offer gets one",
        "不带提议的 re-INVITE 得到提议",
        "Some carriers refresh this way: switch delayed refreshes off.",
        "部分运营商这样刷新：请关闭无提议刷新。"
    ),
    probe!(
        "reinvite-refused",
        "RFC 3261 §14.2",
        Call,
        ALL_KINDS,
        reinvite_refused,
        "A re-INVITE it cannot accept leaves the call as it was",
        "无法接受的 re-INVITE 不影响原通话",
        "One failed change ends the call: avoid re-INVITEs towards this device.",
        "一次失败的更改会中断通话：请避免对该设备发送 re-INVITE。"
    ),
    probe!(
        "update",
        "RFC 3311",
        Call,
        ALL_KINDS,
        update,
        "UPDATE within the call is answered 200",
        "通话内 UPDATE 得到 200",
        "The box refreshes with re-INVITE instead; nothing to do.",
        "本机会改用 re-INVITE 刷新；无需处理。"
    ),
    probe!(
        "cseq-old",
        "RFC 3261 §12.2.2",
        Call,
        ALL_KINDS,
        cseq_old,
        "A request out of order is refused with 500",
        "乱序请求以 500 拒绝",
        "Report it to the vendor.",
        "可向厂商反馈。"
    ),
];

fn offer(ua: &Ua) -> Written {
    Written::offer(ua.plan(|plan| plan.media(Socket::Rtp)))
}

fn direction_of(reply: &Reply) -> Option<Direction> {
    let sdp = Sdp::read(&reply.response()?.body)?;
    sdp.audio().map(|audio| audio.direction)
}

fn refused(reply: &Reply) -> Verdict {
    let words = reply.words();
    match reply.last {
        Some(_) => Verdict::fail(said!("refused: {words}", "被拒绝：{words}")),
        None => Verdict::fail(said!("the re-INVITE was not answered", "re-INVITE 没有应答")),
    }
}

async fn hold(ua: &Ua, offer: Written, fits: &[Direction]) -> Verdict {
    let mut call = with_call!(ua);
    let reply = call.reinvite(offer, &[]).await;
    if !reply.is_ok() {
        return refused(&reply);
    }
    match direction_of(&reply) {
        Some(direction) => {
            let word = direction.word();
            Verdict::of(fits.contains(&direction), said!("answered {word}", "应答 {word}"))
        }
        None => Verdict::fail(said!("200 without an answer", "200 没有应答 SDP")),
    }
}

async fn hold_sendonly(ua: Ua) -> Verdict {
    hold(&ua, offer(&ua).direction(Direction::SendOnly), &[Direction::RecvOnly, Direction::Inactive]).await
}

async fn hold_inactive(ua: Ua) -> Verdict {
    hold(&ua, offer(&ua).direction(Direction::Inactive), &[Direction::Inactive]).await
}

async fn hold_zero(ua: Ua) -> Verdict {
    let mut call = with_call!(&ua);
    let mut zero = offer(&ua);
    zero.zero = true;
    let reply = call.reinvite(zero, &[]).await;
    if reply.is_ok() { Verdict::pass(said!("accepted", "已接受")) } else { refused(&reply) }
}

async fn hold_silent(ua: Ua) -> Verdict {
    let mut call = with_call!(&ua);
    call.talk(Duration::from_millis(600)).await;
    if call.ear(Socket::Rtp).packets == 0 {
        return Verdict::skipped(said!("it sent no audio before", "保持前就没有音频"));
    }
    let reply = call.reinvite(offer(&ua).direction(Direction::SendOnly), &[]).await;
    if !reply.is_ok() {
        return refused(&reply);
    }
    // What was under way may still arrive.
    call.talk(Duration::from_millis(500)).await;
    call.fresh_ears();
    call.talk(Duration::from_millis(700)).await;
    let heard = call.ear(Socket::Rtp).packets;
    match heard {
        0..=2 => Verdict::pass(said!("silent", "已静默")),
        _ => Verdict::fail(said!("{heard} packets in 0.7 s", "0.7 秒内收到 {heard} 个包")),
    }
}

async fn resume(ua: Ua) -> Verdict {
    let mut call = with_call!(&ua);
    call.talk(Duration::from_millis(600)).await;
    let before = call.ear(Socket::Rtp).packets;
    let reply = call.reinvite(offer(&ua).direction(Direction::SendOnly), &[]).await;
    if !reply.is_ok() {
        return refused(&reply);
    }
    ua.listen(Duration::from_millis(300)).await;
    let reply = call.reinvite(offer(&ua), &[]).await;
    if !reply.is_ok() {
        return refused(&reply);
    }
    call.fresh_ears();
    call.speak(Socket::Rtp, 0x1ab0_0002);
    call.talk(Duration::from_millis(1_000)).await;
    let (after, word) = (call.ear(Socket::Rtp).packets, direction_of(&reply).map_or("–", Direction::word));
    match (direction_of(&reply), before, after) {
        (Some(Direction::SendRecv), 0, 0) => {
            Verdict::warn(said!("answered sendrecv; it sent no audio before nor after", "应答 sendrecv；前后均无音频"))
        }
        (Some(Direction::SendRecv), _, 1..) => Verdict::pass(said!("audio is back", "音频已恢复")),
        (Some(Direction::SendRecv), _, 0) => {
            Verdict::fail(said!("answered sendrecv, but silent", "应答 sendrecv，但无声"))
        }
        _ => Verdict::fail(said!("answered {word}", "应答 {word}")),
    }
}

async fn port_change(ua: Ua) -> Verdict {
    let mut call = with_call!(&ua);
    call.talk(Duration::from_millis(600)).await;
    if call.ear(Socket::Rtp).packets == 0 {
        return Verdict::skipped(said!("it sent no audio before", "之前没有音频"));
    }
    let moved = Written::offer(ua.plan(|plan| plan.media(Socket::Second)));
    let reply = call.reinvite(moved, &[]).await;
    if !reply.is_ok() {
        return refused(&reply);
    }
    call.speak(Socket::Second, 0x1ab0_0003);
    call.talk(Duration::from_millis(400)).await;
    call.fresh_ears();
    call.talk(Duration::from_millis(600)).await;
    let (new, old) = (call.ear(Socket::Second).packets, call.ear(Socket::Rtp).packets);
    match (new, old) {
        (0, 0) => Verdict::fail(said!("the audio stopped", "音频停止")),
        (0, _) => Verdict::fail(said!("the audio still goes to the old port", "音频仍发往旧端口")),
        (_, 0..=1) => Verdict::pass(said!("moved", "已移动")),
        (_, _) => Verdict::warn(said!("audio goes to both ports", "音频同时发往两个端口")),
    }
}

async fn reinvite_empty(ua: Ua) -> Verdict {
    let mut call = with_call!(&ua);
    let draft = call.draft("INVITE").with("Contact", ua.contact(crate::plan::Link::Udp));
    let reply = ua.ask(draft).await;
    let theirs = reply.response().and_then(|response| Sdp::read(&response.body));
    let answer = theirs.as_ref().map(|theirs| Written::answer(theirs, ua.plan(|plan| plan.media(Socket::Rtp))));
    if let (Some(dialog), true) = (call.dialog(), reply.is_ok()) {
        let cseq = reply.asked.cseq;
        let mut ack = ua.within_call("ACK", &dialog).set("CSeq", format!("{cseq} ACK"));
        if let Some(answer) = answer {
            ack = ack.body("application/sdp", answer.version(9).render());
        }
        ua.send(&ack);
    }
    match (reply.is_ok(), theirs) {
        (true, Some(_)) => Verdict::pass(said!("an offer came", "得到提议")),
        (true, None) => Verdict::fail(said!("200 without an offer", "200 没有提议")),
        (false, _) => refused(&reply),
    }
}

async fn reinvite_refused(ua: Ua) -> Verdict {
    let mut call = with_call!(&ua);
    let mut impossible = offer(&ua);
    impossible.formats = vec![98];
    let reply = call.reinvite(impossible, &[]).await;
    let alive = alive(&ua, &mut call).await;
    let words = reply.words();
    match (reply.status(), alive) {
        (Some(488 | 606 | 415), true) => Verdict::pass(said!("{words}, and the call goes on", "{words}，通话继续")),
        (Some(200..=299), true) => Verdict::warn(said!("{words}: it was accepted", "{words}：被接受")),
        (Some(_), true) => Verdict::warn(said!("{words} where 488 was due", "应答 {words}（应为 488）")),
        (_, false) => Verdict::fail(said!("{words}, and the call is gone", "{words}，通话消失")),
        (None, true) => Verdict::fail(said!("the re-INVITE was not answered", "re-INVITE 没有应答")),
    }
}

async fn alive(ua: &Ua, call: &mut Call) -> bool {
    if call.dialog().is_none() {
        return false;
    }
    let draft = call.draft("OPTIONS");
    let reply = call.ask(draft).await;
    // Some devices know no OPTIONS within a call; a re-INVITE decides.
    if reply.is_ok() {
        return true;
    }
    call.reinvite(offer(ua), &[]).await.is_ok()
}

async fn update(ua: Ua) -> Verdict {
    let mut call = with_call!(&ua);
    let allows = call.response.head.list("Allow").contains(&"UPDATE");
    let draft = call.draft("UPDATE").with("Contact", ua.contact(crate::plan::Link::Udp));
    let reply = call.ask(draft).await;
    let words = reply.words();
    match (reply.status(), allows) {
        (Some(200..=299), _) => Verdict::pass(said!("{words}", "{words}")),
        (Some(405 | 501), false) => Verdict::not_offered(said!("{words}", "{words}")),
        (Some(_), true) => Verdict::fail(said!("Allow names it, but: {words}", "Allow 已列出，但应答 {words}")),
        (Some(_), false) => Verdict::not_offered(said!("{words}", "{words}")),
        (None, _) => Verdict::fail(said!("no answer", "没有应答")),
    }
}

async fn cseq_old(ua: Ua) -> Verdict {
    let mut call = with_call!(&ua);
    let first = call.draft("INFO");
    let second = call.draft("INFO");
    let later = call.ask(second).await;
    if later.last.is_none() {
        return Verdict::skipped(said!("INFO is not answered", "INFO 没有应答"));
    }
    let reply = ua.ask(first).await;
    let words = reply.words();
    match reply.status() {
        Some(500) => Verdict::pass(said!("{words}", "{words}")),
        Some(200..=299) => Verdict::warn(said!("{words}: the order is not checked", "{words}：不检查顺序")),
        Some(_) if reply.status() == later.status() => {
            Verdict::warn(said!("{words}: the order is not checked", "{words}：不检查顺序"))
        }
        Some(_) => Verdict::warn(said!("{words} where 500 was due", "应答 {words}（应为 500）")),
        None => Verdict::warn(said!("no answer", "没有应答")),
    }
}
