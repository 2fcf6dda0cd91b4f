//! Transfer (RFC 3515), Replaces (RFC 3891), message waiting (RFC 3842), text (RFC 3428).

use std::time::Duration;

use sip::message::Method;

use super::calls::with_call;
use super::{Probe, probe};
use crate::call::{Call, Invite, NoCall};
use crate::line::What;
use crate::plan::Link;
use crate::said;
use crate::ua::{GOAL, Ua};
use crate::verdict::Verdict;

pub const PROBES: &[Probe] = &[
    probe!(
        "refer",
        "RFC 3515",
        Call,
        ALL_KINDS,
        refer,
        "REFER is accepted, followed, and its outcome told",
        "接受并执行 REFER，且通知结果",
        "Transfers are done by the box itself; nothing to do.",
        "转接由本机完成；无需处理。"
    ),
    probe!(
        "replaces",
        "RFC 3891 §3",
        Call,
        ALL_KINDS,
        replaces,
        "An INVITE that replaces a call it does not know is answered 481",
        "Replaces 指向未知通话时应答 481",
        "Attended transfers towards this device may ring instead of joining: let the box do them.",
        "对该设备的咨询转接可能会振铃而非接入：请由本机完成。"
    ),
    probe!(
        "mwi",
        "RFC 3842",
        Nothing,
        ALL_KINDS,
        mwi,
        "Message waiting can be told",
        "支持留言指示",
        "The lamp of this phone will not show messages.",
        "该话机的留言灯不会亮。"
    ),
    probe!(
        "event-unknown",
        "RFC 6665 §4.1.3.2",
        Nothing,
        ALL_KINDS,
        event_unknown,
        "A SUBSCRIBE for an unknown event is refused with 489",
        "订阅未知事件以 489 拒绝",
        "Report it to the vendor.",
        "可向厂商反馈。"
    ),
    probe!(
        "message",
        "RFC 3428",
        Nothing,
        ALL_KINDS,
        message,
        "MESSAGE is accepted or refused properly",
        "接受或正确拒绝 MESSAGE",
        "Do not send texts to this device.",
        "请勿向该设备发送文本消息。"
    ),
];

async fn refer(ua: Ua) -> Verdict {
    let mut call = with_call!(&ua);
    let local = ua.plan(|plan| plan.local);
    let goal = format!("<sip:{GOAL}@{local}>");
    let own = ua.contact(Link::Udp);
    let draft = call.draft("REFER").with("Refer-To", goal).with("Referred-By", own.clone()).with("Contact", own);
    let reply = call.ask(draft).await;
    let words = reply.words();
    match reply.status() {
        Some(200..=299) => {}
        Some(_) => return Verdict::not_offered(said!("{words}", "{words}")),
        None => return Verdict::fail(said!("no answer", "没有应答")),
    }
    // It calls our own address, where the call is declined; the NOTIFY must say so.
    let until = ua.after(Duration::from_secs(8));
    let mut told = None;
    while told.is_none() {
        let Some(happened) = ua.next(until).await else { break };
        if let What::Request(request) = &happened.what
            && request.method() == Method::Notify
            && request.head.call_id.as_str() == call.id
        {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let status = body.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
            told = status.filter(|status| *status >= 200);
        }
        ua.be_polite(&happened);
    }
    let called = ua.line(|line| line.followed);
    match (called, told) {
        (true, Some(603)) => {
            Verdict::pass(said!("{words}; followed; outcome 603 told", "{words}；已执行；结果 603 已通知"))
        }
        (true, Some(status)) => {
            Verdict::warn(said!("followed, but 603 was told as {status}", "已执行，但 603 被通知为 {status}"))
        }
        (true, None) => Verdict::fail(said!("followed, but the outcome was never told", "已执行，但从未通知结果")),
        (false, Some(status)) => Verdict::warn(said!("not followed; {status} was told", "未执行；通知 {status}")),
        (false, None) => Verdict::fail(said!("accepted, but nothing followed", "已接受，但没有任何后续")),
    }
}

async fn replaces(ua: Ua) -> Verdict {
    let invite =
        Invite::early(&ua).with("Replaces", "no-such-call@lab;to-tag=a;from-tag=b").with("Require", "replaces");
    match Call::place_with(&ua, invite).await {
        Ok(_) => Verdict::fail(said!("it was answered as an ordinary call", "被当作普通来电接听")),
        Err(NoCall::Refused(response)) => {
            let status = response.status;
            match status {
                481 => Verdict::pass(said!("481", "481")),
                420 => Verdict::not_offered(said!("420", "420")),
                _ => Verdict::warn(said!("{status} where 481 was due", "应答 {status}（应为 481）")),
            }
        }
        Err(none) => Verdict::warn(none.text()),
    }
}

async fn mwi(ua: Ua) -> Verdict {
    let target = ua.plan(|plan| plan.target.to_string());
    let phone = ua.plan(|plan| plan.kind) == crate::plan::Kind::Phone;
    let (method, draft) = if phone {
        // Phones take it unasked from their own box.
        let body = "Messages-Waiting: no\r\nVoice-Message: 0/0 (0/0)\r\n";
        let draft = ua.draft("NOTIFY", &target).with("Event", "message-summary");
        let draft =
            draft.with("Subscription-State", "terminated;reason=noresource").with("Contact", ua.contact(Link::Udp));
        ("NOTIFY", draft.body("application/simple-message-summary", body))
    } else {
        let draft = ua.draft("SUBSCRIBE", &target).with("Event", "message-summary").with("Expires", "0");
        ("SUBSCRIBE", draft.with("Accept", "application/simple-message-summary").with("Contact", ua.contact(Link::Udp)))
    };
    let reply = ua.prove(draft).await;
    let words = reply.words();
    match reply.status() {
        Some(200..=299) => Verdict::pass(said!("{method}: {words}", "{method}：{words}")),
        Some(_) => Verdict::not_offered(said!("{method}: {words}", "{method}：{words}")),
        None => Verdict::warn(said!("{method} is not answered", "{method} 没有应答")),
    }
}

async fn event_unknown(ua: Ua) -> Verdict {
    let target = ua.plan(|plan| plan.target.to_string());
    let draft = ua.draft("SUBSCRIBE", &target).with("Event", "x-branchline-lab").with("Expires", "0");
    let reply = ua.prove(draft.with("Contact", ua.contact(Link::Udp))).await;
    let words = reply.words();
    match reply.status() {
        Some(489) => Verdict::pass(said!("{words}", "{words}")),
        Some(405 | 501) => Verdict::not_offered(said!("no SUBSCRIBE at all: {words}", "不支持 SUBSCRIBE：{words}")),
        Some(200..=299) => Verdict::fail(said!("{words}: it was accepted", "{words}：被接受")),
        Some(_) => Verdict::warn(said!("{words} where 489 was due", "应答 {words}（应为 489）")),
        None => Verdict::warn(said!("no answer", "没有应答")),
    }
}

async fn message(ua: Ua) -> Verdict {
    let target = ua.plan(|plan| plan.target.to_string());
    let reply = ua.prove(ua.draft("MESSAGE", &target).body("text/plain", "Branchline lab")).await;
    let words = reply.words();
    match reply.status() {
        Some(200..=299) => Verdict::pass(said!("{words}", "{words}")),
        Some(_) => Verdict::not_offered(said!("{words}", "{words}")),
        None => Verdict::warn(said!("no answer", "没有应答")),
    }
}
