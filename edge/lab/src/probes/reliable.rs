//! Reliable provisional responses (RFC 3262), early media, and CANCEL (RFC 3261 §9).

use std::time::Duration;

use super::{Probe, probe};
use crate::call::{Attempt, Call, Invite, NoCall, Step, reliable};
use crate::plan::Socket;
use crate::said;
use crate::sdp::Sdp;
use crate::ua::Ua;
use crate::verdict::Verdict;

pub const PROBES: &[Probe] = &[
    probe!(
        "prack",
        "RFC 3262",
        Call,
        ALL_KINDS,
        prack,
        "Reliable ringing: a good PRACK is answered 200",
        "可靠临时响应：正确的 PRACK 得到 200",
        "Switch 100rel off for this device: a call whose PRACK fails is lost.",
        "请对该设备关闭 100rel：PRACK 失败的呼叫会丢失。"
    ),
    probe!(
        "prack-bad",
        "RFC 3262 §3",
        Call,
        ALL_KINDS,
        prack_bad,
        "Reliable ringing: a PRACK for nothing is answered 481",
        "可靠临时响应：错误的 PRACK 得到 481",
        "The device does not check what is acknowledged: switch 100rel off for it.",
        "设备不检查确认内容：请对其关闭 100rel。"
    ),
    probe!(
        "prack-require",
        "RFC 3262 §4",
        Call,
        ALL_KINDS,
        prack_require,
        "Require: 100rel is obeyed or refused with 420",
        "Require: 100rel 被遵守或以 420 拒绝",
        "Never require 100rel of this device.",
        "请勿对该设备强制 100rel。"
    ),
    probe!(
        "early-media",
        "RFC 3960",
        Call,
        LINES,
        early_media,
        "Ring-back or announcements before the answer",
        "接听前的回铃音或提示音",
        "Without early media the box plays ring-back itself; announcements of the carrier are not heard.",
        "没有早期媒体时由本机播放回铃音；听不到运营商提示。"
    ),
    probe!(
        "cancel",
        "RFC 3261 §9",
        Call,
        ALL_KINDS,
        cancel,
        "CANCEL while ringing: 200 for it, 487 for the INVITE",
        "振铃中 CANCEL：其自身 200，INVITE 得 487",
        "Phones will go on ringing after the caller left: update the firmware.",
        "主叫挂断后话机仍会振铃：请升级固件。"
    ),
    probe!(
        "cancel-late",
        "RFC 3261 §9.2",
        Call,
        ALL_KINDS,
        cancel_late,
        "CANCEL after the answer changes nothing",
        "接听后的 CANCEL 不产生影响",
        "A caller who gives up at the moment of the answer leaves a ghost call: update the firmware.",
        "主叫在接听瞬间放弃会留下幽灵通话：请升级固件。"
    ),
];

/// Rings with 100rel offered until something is reliable; None when nothing was before the end.
async fn ring(ua: &Ua, attempt: &mut Attempt) -> Option<Box<sip::message::Response>> {
    let answer = ua.plan(|plan| plan.answer);
    let until = ua.after(answer);
    loop {
        match attempt.step(until).await? {
            Step::Provisional(response) if reliable(&response).is_some() => return Some(response),
            Step::Provisional(_) => {}
            Step::Final(_) => return None,
        }
    }
}

/// Takes the call if it is answered, cancels it otherwise; nothing stays behind.
async fn finish(ua: &Ua, mut attempt: Attempt, wait: Duration) -> Option<u16> {
    if attempt.done.is_none() {
        let until = ua.after(wait);
        while let Some(step) = attempt.step(until).await {
            if matches!(step, Step::Final(_)) {
                break;
            }
        }
    }
    if attempt.done.is_none() {
        let cancel = attempt.cancel();
        let _ = ua.ask(cancel).await;
        let last = ua.after(Duration::from_secs(1));
        while let Some(step) = attempt.step(last).await {
            if matches!(step, Step::Final(_)) {
                break;
            }
        }
    }
    let response = attempt.done.as_ref().map(|(_, response)| response.clone())?;
    if response.status < 300 {
        let mut call = attempt.accept(&response);
        ua.line(|line| line.calls.get_mut(&call.id).map(|dialog| dialog.cseq = dialog.cseq.saturating_add(10)));
        let _ = call.bye().await;
    }
    Some(response.status)
}

/// A 1xx above 100 was seen, so reliability was possible.
fn rang(attempt: &Attempt) -> bool {
    attempt.provisional.iter().any(|(_, response)| response.status > 100)
}

fn no_ringing() -> Verdict {
    Verdict::not_offered(said!("it answers without ringing first", "直接接听，没有振铃响应"))
}

async fn prack(ua: Ua) -> Verdict {
    let Some(mut attempt) = Attempt::start(&ua, Invite::early(&ua).with("Supported", "100rel")) else {
        return NoCall::Silence.verdict();
    };
    let Some(response) = ring(&ua, &mut attempt).await else {
        let rang = rang(&attempt);
        finish(&ua, attempt, Duration::ZERO).await;
        return if rang {
            Verdict::not_offered(said!("its ringing is not reliable", "其振铃响应不是可靠的"))
        } else {
            no_ringing()
        };
    };
    let rseq = reliable(&response).unwrap_or_default();
    let cseq = attempt.asked.cseq;
    let draft = attempt.prack(&response, &format!("{rseq} {cseq} INVITE"), cseq.saturating_add(1));
    let reply = ua.ask(draft).await;
    let words = reply.words();
    // The same provisional again after a good PRACK would say that it was not understood.
    let again = count_again(&ua, &mut attempt, rseq).await;
    finish(&ua, attempt, Duration::ZERO).await;
    match (reply.status(), again) {
        (Some(200..=299), 0) => Verdict::pass(said!("RSeq {rseq}, PRACK: {words}", "RSeq {rseq}，PRACK：{words}")),
        (Some(200..=299), times) => Verdict::fail(said!(
            "PRACK got {words}, yet the ringing was repeated {times} times",
            "PRACK 得到 {words}，但振铃响应又重发 {times} 次"
        )),
        (Some(_), _) => Verdict::fail(said!("a good PRACK was refused: {words}", "正确的 PRACK 被拒绝：{words}")),
        (None, _) => Verdict::fail(said!("the PRACK was not answered", "PRACK 没有应答")),
    }
}

async fn count_again(ua: &Ua, attempt: &mut Attempt, rseq: u32) -> u32 {
    let until = ua.after(Duration::from_millis(1_200));
    let mut again = 0_u32;
    while attempt.done.is_none() {
        match attempt.step(until).await {
            Some(Step::Provisional(response)) if reliable(&response) == Some(rseq) => again = again.saturating_add(1),
            Some(_) => {}
            None => break,
        }
    }
    again
}

async fn prack_bad(ua: Ua) -> Verdict {
    let Some(mut attempt) = Attempt::start(&ua, Invite::early(&ua).with("Supported", "100rel")) else {
        return NoCall::Silence.verdict();
    };
    let Some(response) = ring(&ua, &mut attempt).await else {
        finish(&ua, attempt, Duration::ZERO).await;
        return Verdict::not_offered(said!("no reliable ringing", "没有可靠的振铃响应"));
    };
    let rseq = reliable(&response).unwrap_or_default();
    let cseq = attempt.asked.cseq;
    let wrong = format!("{} {cseq} INVITE", rseq.wrapping_add(4_000));
    let draft = attempt.prack(&response, &wrong, cseq.saturating_add(1));
    let reply = ua.ask(draft).await;
    // Then the right one, so that the device is not left waiting.
    let draft = attempt.prack(&response, &format!("{rseq} {cseq} INVITE"), cseq.saturating_add(2));
    let _ = ua.ask(draft).await;
    finish(&ua, attempt, Duration::ZERO).await;
    let words = reply.words();
    match reply.status() {
        Some(481) => Verdict::pass(said!("{words}", "{words}")),
        Some(200..=299) => Verdict::fail(said!("{words}: a wrong RAck was accepted", "{words}：接受了错误的 RAck")),
        Some(_) => Verdict::warn(said!("{words} where 481 was due", "应答 {words}（应为 481）")),
        None => Verdict::fail(said!("no answer", "没有应答")),
    }
}

async fn prack_require(ua: Ua) -> Verdict {
    let Some(mut attempt) = Attempt::start(&ua, Invite::early(&ua).with("Require", "100rel")) else {
        return NoCall::Silence.verdict();
    };
    let response = ring(&ua, &mut attempt).await;
    if let Some(response) = &response {
        let (rseq, cseq) = (reliable(response).unwrap_or_default(), attempt.asked.cseq);
        let draft = attempt.prack(response, &format!("{rseq} {cseq} INVITE"), cseq.saturating_add(1));
        let _ = ua.ask(draft).await;
    }
    let rang = rang(&attempt);
    let status = finish(&ua, attempt, Duration::ZERO).await;
    match (response, status, rang) {
        (Some(_), ..) => Verdict::pass(said!("ringing was reliable", "振铃响应可靠")),
        (None, Some(420), _) => Verdict::pass(said!("420: refused by name", "420：明确拒绝")),
        (None, Some(200..=299), true) => {
            Verdict::fail(said!("it rang unreliably although it must not", "在必须可靠时仍以不可靠方式振铃"))
        }
        (None, Some(200..=299), false) => no_ringing(),
        (None, Some(status), _) => Verdict::warn(said!("refused with {status}", "以 {status} 拒绝")),
        (None, None, _) => Verdict::fail(said!("no final answer", "没有最终应答")),
    }
}

async fn early_media(ua: Ua) -> Verdict {
    let Some(mut attempt) = Attempt::start(&ua, Invite::early(&ua).with("Supported", "100rel")) else {
        return NoCall::Silence.verdict();
    };
    let answer = ua.plan(|plan| plan.answer);
    let until = ua.after(answer);
    let mut described = None;
    while attempt.done.is_none() {
        let step = match described {
            // A second of what is played before the answer is enough.
            Some(since) => attempt.step(since).await,
            None => attempt.step(until).await,
        };
        match step {
            Some(Step::Provisional(response)) => {
                if let Some(rseq) = reliable(&response) {
                    let cseq = attempt.asked.cseq;
                    let draft = attempt.prack(&response, &format!("{rseq} {cseq} INVITE"), cseq.saturating_add(1));
                    let _ = ua.ask(draft).await;
                }
                if Sdp::read(&response.body).is_some() && described.is_none() {
                    described = Some(ua.after(Duration::from_secs(1)));
                }
            }
            Some(Step::Final(_)) => {}
            None => break,
        }
    }
    let heard = ua.line(|line| line.ears.get(&Socket::Rtp).map_or(0, |ear| ear.packets));
    finish(&ua, attempt, Duration::ZERO).await;
    match (described, heard) {
        (Some(_), 0) => Verdict::warn(said!("SDP before the answer, but no audio", "接听前有 SDP，但没有音频")),
        (Some(_), _) => Verdict::pass(said!("{heard} packets before the answer", "接听前收到 {heard} 个包")),
        (None, _) => Verdict::not_offered(said!("no SDP before the answer", "接听前没有 SDP")),
    }
}

async fn cancel(ua: Ua) -> Verdict {
    let Some(mut attempt) = Attempt::start(&ua, Invite::early(&ua)) else { return NoCall::Silence.verdict() };
    let until = ua.after(crate::ua::PATIENCE);
    // RFC 3261 §9.1: not before a provisional response.
    let first = attempt.step(until).await;
    let status = match first {
        None => return NoCall::Silence.verdict(),
        Some(Step::Final(response)) => Some(response.status),
        Some(Step::Provisional(_)) => None,
    };
    if status.is_some() {
        finish(&ua, attempt, Duration::ZERO).await;
        return Verdict::not_offered(said!("it answers before it can be cancelled", "来不及取消即已应答"));
    }
    let draft = attempt.cancel();
    let reply = ua.ask(draft).await;
    let until = ua.after(crate::ua::PATIENCE);
    while attempt.done.is_none() {
        if attempt.step(until).await.is_none() {
            break;
        }
    }
    let ended = attempt.done.as_ref().map(|(_, response)| response.status);
    finish(&ua, attempt, Duration::ZERO).await;
    let words = reply.words();
    match (reply.status(), ended) {
        (Some(200), Some(487)) => Verdict::pass(said!("200 and 487", "200 与 487")),
        (Some(_), Some(200..=299)) => Verdict::warn(said!("the answer came first; it was hung up", "先被接听；已挂断")),
        (_, None) => Verdict::fail(said!("CANCEL: {words}; the INVITE never ended", "CANCEL：{words}；INVITE 未结束")),
        (_, Some(status)) => {
            Verdict::fail(said!("CANCEL: {words}, INVITE: {status}", "CANCEL：{words}，INVITE：{status}"))
        }
    }
}

async fn cancel_late(ua: Ua) -> Verdict {
    let Some(mut attempt) = Attempt::start(&ua, Invite::early(&ua)) else { return NoCall::Silence.verdict() };
    let answer = ua.plan(|plan| plan.answer);
    let until = ua.after(answer);
    let response = loop {
        match attempt.step(until).await {
            Some(Step::Final(response)) if response.status < 300 => break response,
            Some(Step::Provisional(_)) => {}
            Some(Step::Final(response)) => return NoCall::Refused(response).verdict(),
            None => {
                finish(&ua, attempt, Duration::ZERO).await;
                return NoCall::Unanswered.verdict();
            }
        }
    };
    let draft = attempt.cancel();
    let mut call: Call = attempt.accept(&response);
    let reply = ua.ask(draft).await;
    ua.listen(Duration::from_millis(300)).await;
    let alive = call.dialog().is_some();
    let bye = call.bye().await;
    let (words, ended) = (reply.words(), bye.words());
    match (alive && bye.is_ok(), reply.status()) {
        (true, Some(200 | 481)) => Verdict::pass(said!("{words}; the call went on", "{words}；通话继续")),
        (true, _) => Verdict::warn(said!("{words} where 481 or 200 was due", "应答 {words}（应为 481 或 200）")),
        (false, _) => {
            Verdict::fail(said!("{words}; the call was gone (BYE: {ended})", "{words}；通话消失（BYE：{ended}）"))
        }
    }
}
