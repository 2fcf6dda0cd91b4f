//! Questions outside of calls: is it there, what does it say of itself, does it refuse what it must.

use std::time::Duration;

use super::{Probe, probe};
use crate::line::What;
use crate::said;
use crate::ua::{Reply, Ua};
use crate::verdict::Verdict;

pub const PROBES: &[Probe] = &[
    probe!(
        "options",
        "RFC 3261 §11",
        Nothing,
        ALL_KINDS,
        options,
        "OPTIONS is answered",
        "应答 OPTIONS",
        "Check address, port and transport, and that the device's access list knows this box. The box watches trunks with OPTIONS.",
        "请检查地址、端口与传输方式，以及设备的访问列表是否包含本机。本机用 OPTIONS 监测中继。"
    ),
    probe!(
        "allow",
        "RFC 3261 §20.5",
        Nothing,
        ALL_KINDS,
        allow,
        "Allow names the methods of a call",
        "Allow 列出通话所需方法",
        "Update the firmware; without Allow the box offers no PRACK, UPDATE or REFER to this device.",
        "请升级固件；没有 Allow 头时，本机不会对该设备使用 PRACK、UPDATE 或 REFER。"
    ),
    probe!(
        "accept",
        "RFC 3261 §11.2",
        Nothing,
        ALL_KINDS,
        accept,
        "Accept names SDP",
        "Accept 列出 SDP",
        "Harmless for calls; report it to the vendor.",
        "不影响通话；可向厂商反馈。"
    ),
    probe!(
        "echo",
        "RFC 3261 §8.2.6",
        Nothing,
        ALL_KINDS,
        echo,
        "Responses repeat Via, From, Call-ID and CSeq, and tag To",
        "响应原样返回 Via、From、Call-ID、CSeq，并为 To 加标签",
        "A device that changes these headers loses calls behind proxies: update the firmware or put a session border controller in front.",
        "改动这些头域的设备在代理之后会丢失呼叫：请升级固件，或在前面加会话边界控制器。"
    ),
    probe!(
        "rport",
        "RFC 3581",
        Nothing,
        ALL_KINDS,
        rport,
        "rport: answers go back to the port the request came from",
        "rport：响应返回到请求的来源端口",
        "Switch on rport or NAT support; otherwise the device cannot be reached through a NAT.",
        "请启用 rport 或 NAT 支持；否则无法穿越 NAT。"
    ),
    probe!(
        "repeat",
        "RFC 3261 §17.2.2",
        Nothing,
        ALL_KINDS,
        repeat,
        "A repeated request gets the same response, not a second one",
        "重发的请求得到同一响应",
        "On lossy networks this device will act twice; prefer TCP to it.",
        "在丢包网络中该设备会重复执行；建议改用 TCP。"
    ),
    probe!(
        "method-unknown",
        "RFC 3261 §8.2.1",
        Nothing,
        ALL_KINDS,
        method_unknown,
        "An unknown method is refused with 405 or 501",
        "未知方法以 405 或 501 拒绝",
        "The box sends no unknown methods; report it to the vendor.",
        "本机不会发送未知方法；可向厂商反馈。"
    ),
    probe!(
        "require",
        "RFC 3261 §8.2.2.3",
        Nothing,
        ALL_KINDS,
        require,
        "An unknown Require is refused with 420 and named",
        "未知 Require 以 420 拒绝并列出",
        "The device may accept what it cannot do: leave 100rel and timers at \"supported\", never \"required\", for it.",
        "该设备可能接受自己不支持的扩展：对它请将 100rel 与会话计时设为“支持”而非“必需”。"
    ),
    probe!(
        "max-forwards",
        "RFC 3261 §16.3, §11",
        Nothing,
        ALL_KINDS,
        max_forwards,
        "Max-Forwards 0 ends a loop",
        "Max-Forwards 为 0 时终止环路",
        "Make sure no route of this device leads back to the box.",
        "请确认该设备没有任何路由指回本机。"
    ),
    probe!(
        "scheme-unknown",
        "RFC 3261 §8.2.2.1",
        Nothing,
        ALL_KINDS,
        scheme_unknown,
        "A URI of an unknown scheme is refused",
        "拒绝未知 URI 方案",
        "Report it to the vendor.",
        "可向厂商反馈。"
    ),
    probe!(
        "bye-stray",
        "RFC 3261 §12.2.2",
        Nothing,
        ALL_KINDS,
        bye_stray,
        "BYE for a call that does not exist is answered 481",
        "对不存在的通话发送 BYE 应答 481",
        "After a power cut calls may seem to live on in the device: enable session timers.",
        "断电后设备可能认为通话仍存在：请启用会话计时。"
    ),
    probe!(
        "cancel-stray",
        "RFC 3261 §9.2",
        Nothing,
        ALL_KINDS,
        cancel_stray,
        "CANCEL of nothing is answered 481",
        "对不存在的事务发送 CANCEL 应答 481",
        "Report it to the vendor.",
        "可向厂商反馈。"
    ),
    probe!(
        "ack-stray",
        "RFC 3261 §17.1.1.3",
        Nothing,
        ALL_KINDS,
        ack_stray,
        "A stray ACK is not answered",
        "多余的 ACK 不应被应答",
        "Answering an ACK can make two devices talk for ever: keep such a device off open networks.",
        "应答 ACK 可能导致两台设备无休止地互发：请勿将其暴露在开放网络。"
    ),
];

pub fn silent() -> crate::verdict::Text {
    said!("no answer within 4 s", "4 秒内没有应答")
}

async fn options(ua: Ua) -> Verdict {
    let reply = ua.prove(ua.options()).await;
    let words = reply.words();
    match (reply.status(), reply.last.as_ref()) {
        (Some(200..=299), Some((took, _))) => {
            let ms = took.as_millis();
            Verdict::pass(said!("{words} after {ms} ms", "{ms} 毫秒后应答 {words}"))
        }
        // RFC 3261 §11.2: the status is what an INVITE would get; a device that is busy or unknown to us still lives.
        (Some(_), _) => Verdict::warn(said!(
            "it answers {words} where 200 was due; it is alive",
            "应答 {words}（应为 200）；设备在线"
        )),
        (None, _) => Verdict::fail(silent()),
    }
}

async fn allow(ua: Ua) -> Verdict {
    let reply = ua.prove(ua.options()).await;
    let Some(response) = reply.response() else { return Verdict::fail(silent()) };
    let methods = response.head.list("Allow");
    if methods.is_empty() {
        return Verdict::warn(said!("no Allow header", "没有 Allow 头域"));
    }
    let missing: Vec<&str> =
        ["INVITE", "ACK", "CANCEL", "BYE"].into_iter().filter(|needed| !methods.contains(needed)).collect();
    let (methods, lacking) = (methods.join(", "), missing.join(", "));
    if missing.is_empty() {
        Verdict::pass(said!("{methods}", "{methods}"))
    } else {
        Verdict::fail(said!("{lacking} missing in: {methods}", "缺少 {lacking}，现有：{methods}"))
    }
}

async fn accept(ua: Ua) -> Verdict {
    let reply = ua.prove(ua.options()).await;
    let Some(response) = reply.response() else { return Verdict::fail(silent()) };
    if !reply.is_ok() {
        let words = reply.words();
        return Verdict::skipped(said!("OPTIONS got {words}", "OPTIONS 得到 {words}"));
    }
    let kinds = response.head.list("Accept");
    let names_sdp = kinds.iter().any(|kind| kind.starts_with("application/sdp") || *kind == "*/*");
    let list = kinds.join(", ");
    match (kinds.is_empty(), names_sdp) {
        // RFC 3261 §20.1: none means application/sdp.
        (true, _) => Verdict::pass(said!("none, which means application/sdp", "未列出，等同 application/sdp")),
        (false, true) => Verdict::pass(said!("{list}", "{list}")),
        (false, false) => Verdict::warn(said!("SDP is not in: {list}", "其中没有 SDP：{list}")),
    }
}

async fn echo(ua: Ua) -> Verdict {
    let second = format!("SIP/2.0/UDP 192.0.2.77:5999;branch=z9hG4bKlab{}", ua.branch());
    let mut asked = ua.options();
    asked.headers.insert(1, ("Via".into(), second.clone()));
    let reply = ua.ask(asked).await;
    let Some(response) = reply.response() else { return Verdict::fail(silent()) };
    let head = &response.head;
    let mut wrong = Vec::new();
    let second_back = head.via.get(1).and_then(|via| via.branch()).is_some_and(|branch| second.contains(branch));
    if head.top_branch() != reply.asked.branch || head.via.len() != 2 || !second_back {
        wrong.push("Via");
    }
    if Some(head.from.to_string().as_str()) != reply.asked.header("From") {
        wrong.push("From");
    }
    if head.call_id.as_str() != reply.asked.call_id {
        wrong.push("Call-ID");
    }
    if head.cseq != reply.asked.cseq {
        wrong.push("CSeq");
    }
    if head.to.tag().is_none() {
        wrong.push("To tag");
    }
    let list = wrong.join(", ");
    if wrong.is_empty() {
        Verdict::pass(said!("all came back", "全部一致"))
    } else {
        Verdict::fail(said!("not as sent: {list}", "与发送不一致：{list}"))
    }
}

async fn rport(ua: Ua) -> Verdict {
    let local = ua.plan(|plan| plan.local);
    let mut asked = ua.options();
    // A port of the Via that is not ours: an answer can only come by rport.
    let wrong = format!("SIP/2.0/UDP {}:9;rport;branch={}", local.ip(), asked.branch);
    asked = asked.set("Via", wrong);
    let reply = ua.ask(asked).await;
    let Some(response) = reply.response() else {
        return Verdict::fail(said!(
            "nothing came back to the port the request was sent from",
            "响应没有回到请求的来源端口"
        ));
    };
    let via = response.head.via.first().map(ToString::to_string).unwrap_or_default();
    let told = via.contains(&format!("rport={}", local.port()));
    if told {
        Verdict::pass(said!("it came back, and told our port", "已返回，并告知我方端口"))
    } else {
        Verdict::warn(said!("it came back, but rport was not filled in: {via}", "已返回，但未填写 rport：{via}"))
    }
}

async fn repeat(ua: Ua) -> Verdict {
    let asked = ua.options();
    let first = ua.ask(asked.clone()).await;
    if first.last.is_none() {
        return Verdict::fail(silent());
    }
    let second = ua.ask(asked).await;
    let tag = |reply: &Reply| reply.response().and_then(|response| response.head.to.tag().map(str::to_string));
    match second.last {
        None => Verdict::fail(said!("the repetition was not answered", "重发的请求没有得到应答")),
        Some(_) if tag(&first) == tag(&second) && first.status() == second.status() => {
            Verdict::pass(said!("the same response came again", "得到同一响应"))
        }
        Some(_) => Verdict::fail(said!(
            "the repetition was taken for a new request: another To tag",
            "重发被当作新请求：To 标签不同"
        )),
    }
}

async fn method_unknown(ua: Ua) -> Verdict {
    let target = ua.plan(|plan| plan.target.to_string());
    let asked = ua.draft("LABTEST", &target);
    // The typed reader knows no such method, so the answer is looked for by its Call-ID.
    let status = status_of(&ua, asked).await;
    match status {
        Some(405 | 501) => {
            let status = status.unwrap_or_default();
            Verdict::pass(said!("{status}", "{status}"))
        }
        Some(status @ 200..=299) => {
            Verdict::fail(said!("an unknown method was accepted: {status}", "未知方法被接受：{status}"))
        }
        Some(status) => Verdict::warn(said!("refused, but with {status}", "已拒绝，但应答为 {status}")),
        None => Verdict::fail(silent()),
    }
}

/// For a method outside of the vocabulary: the status of whatever is answered, read from the raw evidence.
async fn status_of(ua: &Ua, asked: crate::draft::Draft) -> Option<u16> {
    let (before, unreadable) = ua.line(|line| (line.evidence.len(), line.unreadable.clone()));
    ua.line(|line| line.send_surely(asked.link, asked.to, &asked.branch, asked.render()));
    let until = ua.after(crate::ua::PATIENCE);
    let call_id = asked.call_id.clone();
    let found = loop {
        let found = ua.line(|line| {
            let new = line.evidence.iter().skip(before);
            let ours = new.filter(|one| one.way == crate::report::Way::Received && one.text.contains(&call_id));
            ours.filter_map(|one| one.text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse::<u16>().ok())
                .find(|status| *status >= 200)
        });
        if found.is_some() || ua.now() >= until {
            break found;
        }
        // What cannot be typed raises no event: look again a little later.
        let soon = ua.after(Duration::from_millis(50)).min(until);
        if let Some(happened) = ua.next(soon).await {
            ua.be_polite(&happened);
        }
    };
    ua.line(|line| {
        line.give_up(&asked.branch);
        // That our vocabulary lacks the method is not the device's fault.
        line.unreadable = unreadable;
    });
    found
}

async fn require(ua: Ua) -> Verdict {
    let reply = ua.ask(ua.options().with("Require", "x-branchline-lab")).await;
    let words = reply.words();
    match reply.response() {
        None => Verdict::fail(silent()),
        Some(response) if response.status == 420 => {
            let named = response.head.list("Unsupported").contains(&"x-branchline-lab");
            if named {
                Verdict::pass(said!("420, and Unsupported names it", "420，且 Unsupported 已列出"))
            } else {
                Verdict::warn(said!("420, but Unsupported does not name it", "420，但 Unsupported 未列出"))
            }
        }
        Some(_) if reply.is_ok() => Verdict::fail(said!(
            "{words}: an extension it cannot know was accepted",
            "{words}：接受了它不可能支持的扩展"
        )),
        Some(_) => Verdict::warn(said!("{words} where 420 was due", "应答 {words}（应为 420）")),
    }
}

async fn max_forwards(ua: Ua) -> Verdict {
    let reply = ua.ask(ua.options().set("Max-Forwards", "0")).await;
    let words = reply.words();
    match reply.status() {
        Some(483) => Verdict::pass(said!("{words}", "{words}")),
        // RFC 3261 §11: who the request is for may answer it himself.
        Some(200..=299) => Verdict::pass(said!("{words}: it answered itself", "{words}：由其自身应答")),
        Some(_) => Verdict::warn(said!("{words} where 483 was due", "应答 {words}（应为 483）")),
        None => Verdict::fail(silent()),
    }
}

async fn scheme_unknown(ua: Ua) -> Verdict {
    let target = ua.plan(|plan| plan.target.to_string());
    let asked = ua.draft("OPTIONS", "branchline-lab:nobody").set("To", format!("<{target}>"));
    let reply = ua.ask(asked).await;
    let words = reply.words();
    match reply.status() {
        Some(400 | 404 | 416) => Verdict::pass(said!("{words}", "{words}")),
        Some(200..=299) => Verdict::fail(said!("{words}: it was accepted", "{words}：被接受")),
        Some(_) => Verdict::warn(said!("{words} where 416 was due", "应答 {words}（应为 416）")),
        None => Verdict::warn(said!("dropped in silence", "被静默丢弃")),
    }
}

async fn bye_stray(ua: Ua) -> Verdict {
    let target = ua.plan(|plan| plan.target.to_string());
    let asked = ua.draft("BYE", &target).set("To", format!("<{target}>;tag=nosuchcall"));
    of_481(ua.ask(asked).await)
}

async fn cancel_stray(ua: Ua) -> Verdict {
    let target = ua.plan(|plan| plan.target.to_string());
    of_481(ua.ask(ua.draft("CANCEL", &target)).await)
}

fn of_481(reply: Reply) -> Verdict {
    let words = reply.words();
    match reply.status() {
        Some(481) => Verdict::pass(said!("{words}", "{words}")),
        Some(200..=299) => {
            Verdict::fail(said!("{words}: it believes in a call that never was", "{words}：误认为通话存在"))
        }
        Some(_) => Verdict::warn(said!("{words} where 481 was due", "应答 {words}（应为 481）")),
        None => Verdict::fail(silent()),
    }
}

async fn ack_stray(ua: Ua) -> Verdict {
    let target = ua.plan(|plan| plan.target.to_string());
    let ack = ua.draft("ACK", &target).set("To", format!("<{target}>;tag=nosuchcall"));
    ua.send(&ack);
    let until = ua.after(Duration::from_secs(1));
    while let Some(happened) = ua.next(until).await {
        if let What::Response(response) = &happened.what
            && response.head.call_id.as_str() == ack.call_id
        {
            let status = response.status;
            return Verdict::fail(said!("it was answered with {status}", "被应答 {status}"));
        }
        ua.be_polite(&happened);
    }
    Verdict::pass(said!("silence, as it should be", "无应答，正确"))
}
