//! The end of calls (RFC 3261 §15), and what all messages together said.

use std::time::Duration;

use super::calls::with_call;
use super::{Probe, probe};
use crate::said;
use crate::ua::Ua;
use crate::verdict::Verdict;

pub const PROBES: &[Probe] = &[
    probe!(
        "bye",
        "RFC 3261 §15.1.2",
        Call,
        ALL_KINDS,
        bye,
        "BYE ends the call, and its audio",
        "BYE 结束通话与音频",
        "Lines stay busy after calls: enable session timers and update the firmware.",
        "通话后线路仍被占用：请启用会话计时并升级固件。"
    ),
    probe!(
        "bye-again",
        "RFC 3261 §15.1.2",
        Call,
        ALL_KINDS,
        bye_again,
        "BYE for a call that ended is answered 481",
        "对已结束通话的 BYE 应答 481",
        "Report it to the vendor.",
        "可向厂商反馈。"
    ),
    probe!(
        "well-formed",
        "RFC 3261 §25",
        Nothing,
        ALL_KINDS,
        well_formed,
        "Every message it sent can be read strictly",
        "其发送的每条消息都能严格解析",
        "The box refuses such messages: update the firmware, and send the report to the vendor.",
        "本机会拒绝这类消息：请升级固件，并将报告发给厂商。"
    ),
];

async fn bye(ua: Ua) -> Verdict {
    let mut call = with_call!(&ua);
    call.talk(Duration::from_millis(400)).await;
    let reply = call.bye().await;
    let words = reply.words();
    if !reply.is_ok() {
        return match reply.last {
            Some(_) => Verdict::fail(said!("refused: {words}", "被拒绝：{words}")),
            None => Verdict::fail(said!("no answer", "没有应答")),
        };
    }
    ua.listen(Duration::from_millis(300)).await;
    call.fresh_ears();
    ua.listen(Duration::from_millis(400)).await;
    match call.ear(crate::plan::Socket::Rtp).packets {
        0 => Verdict::pass(said!("{words}, and silence", "{words}，已静默")),
        heard => {
            Verdict::fail(said!("{words}, but {heard} packets came afterwards", "{words}，但之后又收到 {heard} 个包"))
        }
    }
}

async fn bye_again(ua: Ua) -> Verdict {
    let mut call = with_call!(&ua);
    let Some(dialog) = call.dialog() else { return Verdict::skipped(said!("the call is gone", "通话已消失")) };
    let first = call.bye().await;
    if !first.is_ok() {
        let words = first.words();
        return Verdict::skipped(said!("BYE itself got {words}", "BYE 本身得到 {words}"));
    }
    let ended = crate::line::Dialog { cseq: dialog.cseq.saturating_add(5), ..dialog };
    let reply = ua.prove(ua.within_call("BYE", &ended)).await;
    let words = reply.words();
    match reply.status() {
        Some(481) => Verdict::pass(said!("{words}", "{words}")),
        Some(_) => Verdict::warn(said!("{words} where 481 was due", "应答 {words}（应为 481）")),
        None => Verdict::warn(said!("no answer", "没有应答")),
    }
}

async fn well_formed(ua: Ua) -> Verdict {
    let causes: Vec<String> =
        ua.line(|line| line.unreadable.iter().map(|(cause, count)| format!("{cause} ({count})")).collect());
    let list = causes.join(", ");
    if causes.is_empty() {
        Verdict::pass(said!("all of them", "全部"))
    } else {
        Verdict::fail(said!("refused by the box's front door: {list}", "被本机前端拒绝：{list}"))
    }
}
