//! Setting up a call (RFC 3261 §13, RFC 3264): times, offers, what the 200 must hold, what the ACK must end.

use std::time::Duration;

use super::{Probe, probe};
use crate::call::{Attempt, Call, Invite, NoCall};
use crate::plan::Socket;
use crate::said;
use crate::sdp::{Sdp, Written};
use crate::ua::Ua;
use crate::verdict::Verdict;

/// RFC 3261 §17.2.1.
const TRYING: Duration = Duration::from_millis(200);

pub const PROBES: &[Probe] = &[
    probe!(
        "invite",
        "RFC 3261 §13, RFC 3264",
        Call,
        ALL_KINDS,
        invite,
        "A call with an early offer is answered",
        "带早期提议的呼叫被接听",
        "Without this there are no calls: check the number, the account and the device's call log.",
        "没有它就无法通话：请检查号码、账号与设备呼叫日志。"
    ),
    probe!(
        "trying",
        "RFC 3261 §17.2.1",
        Call,
        ALL_KINDS,
        trying,
        "The INVITE is acknowledged within 200 ms",
        "200 毫秒内响应 INVITE",
        "Late 100s make the box repeat its INVITE; look at the network and at the device's load.",
        "过晚的 100 会导致 INVITE 重发；请检查网络与设备负载。"
    ),
    probe!(
        "contact",
        "RFC 3261 §8.1.1.8, §12.1.1",
        Call,
        ALL_KINDS,
        contact,
        "The 200's Contact leads back to the device",
        "200 的 Contact 可达",
        "Set the device's public address, or switch off its SIP helper (ALG): requests within the call go astray.",
        "请设置设备的公网地址，或关闭 SIP ALG：通话内请求会迷路。"
    ),
    probe!(
        "ack",
        "RFC 3261 §13.3.1.4",
        Call,
        ALL_KINDS,
        ack,
        "The ACK ends the repetitions of the 200",
        "收到 ACK 后停止重发 200",
        "The device will hang up after 32 s: update its firmware.",
        "设备会在 32 秒后挂断：请升级固件。"
    ),
    probe!(
        "answer",
        "RFC 3264 §6",
        Call,
        ALL_KINDS,
        answer,
        "The answer fits the offer",
        "应答与提议相符",
        "Audio may be missing or in the wrong codec: narrow the codecs on both sides to G.711.",
        "可能无声或编码错误：请双方仅保留 G.711。"
    ),
    probe!(
        "delayed-offer",
        "RFC 3261 §13.2.1, RFC 3264",
        Call,
        ALL_KINDS,
        delayed,
        "An INVITE without offer gets one in the 200",
        "不带提议的 INVITE 在 200 中得到提议",
        "Transfers and some carriers start this way: always send an offer to this device.",
        "转接及部分运营商会这样发起：对该设备请始终携带提议。"
    ),
    probe!(
        "codec-none",
        "RFC 3261 §13.3.1.3, §21.4.26",
        Call,
        ALL_KINDS,
        codec_none,
        "An offer without a common codec is refused with 488",
        "没有共同编码时以 488 拒绝",
        "Calls may be answered without audio: keep G.711 on.",
        "可能接通却无声：请保留 G.711。"
    ),
    probe!(
        "second-stream",
        "RFC 3264 §6",
        Call,
        ALL_KINDS,
        second_stream,
        "A second stream is answered in its place",
        "第二个媒体流按位置应答",
        "Video callers will have trouble: strip other streams towards this device.",
        "视频来电会出问题：请对该设备去除其他媒体流。"
    ),
    probe!(
        "srtp",
        "RFC 4568",
        Call,
        ALL_KINDS,
        srtp,
        "Encrypted audio (SDES) is accepted or refused properly",
        "加密语音（SDES）被接受或正确拒绝",
        "Enable SRTP together with TLS where the device has it.",
        "如设备支持，请与 TLS 一并启用 SRTP。"
    ),
    probe!(
        "answer-delay",
        "ITU-T E.721",
        Call,
        ALL_KINDS,
        answer_delay,
        "How long until it rings and until it is answered",
        "振铃与接听所需时间",
        "Callers hang up when nothing is heard for six seconds: ask the carrier, or play ring-back.",
        "六秒无声主叫会挂断：请咨询运营商或播放回铃音。"
    ),
    probe!(
        "merged",
        "RFC 3261 §8.2.2.2",
        Call,
        ALL_KINDS,
        merged,
        "The same INVITE by a second way is refused with 482",
        "经另一路径到达的同一 INVITE 以 482 拒绝",
        "Behind forking proxies this device will ring twice for one call.",
        "在分叉代理之后，一次呼叫会振铃两次。"
    ),
];

/// Runs with a call that is up, or says why there is none.
macro_rules! with_call {
    ($ua:expr) => {
        match $crate::call::Call::place($ua).await {
            Ok(call) => call,
            Err(none) => return none.verdict(),
        }
    };
}
pub(super) use with_call;

async fn invite(ua: Ua) -> Verdict {
    match Call::place(&ua).await {
        Ok(call) => {
            let ms = call.took.as_millis();
            let has_sdp = call.sdp.as_ref().is_some_and(|sdp| sdp.strict);
            let to_tag = call.response.head.to.tag().is_some();
            match (to_tag, has_sdp) {
                (true, true) => Verdict::pass(said!("answered after {ms} ms", "{ms} 毫秒后接听")),
                (false, _) => Verdict::fail(said!("the 200 has no To tag", "200 没有 To 标签")),
                (_, false) => Verdict::fail(said!("the 200 has no SDP that can be read", "200 没有可读的 SDP")),
            }
        }
        Err(none) => {
            let text = none.text();
            ua.line(|line| line.no_call = Some(text));
            none.verdict()
        }
    }
}

async fn trying(ua: Ua) -> Verdict {
    let call = with_call!(&ua);
    let first = call.provisional.first().map_or(call.took, |(took, _)| *took);
    let ms = first.as_millis();
    if first <= TRYING {
        Verdict::pass(said!("after {ms} ms", "{ms} 毫秒"))
    } else {
        Verdict::warn(said!("only after {ms} ms", "{ms} 毫秒后才响应"))
    }
}

async fn contact(ua: Ua) -> Verdict {
    let mut call = with_call!(&ua);
    let Some(contact) = call.response.head.contacts.first().map(|contact| contact.uri.to_string()) else {
        return Verdict::fail(said!("the 200 has no Contact", "200 没有 Contact"));
    };
    let inside = call.draft("OPTIONS");
    let reply = call.ask(inside).await;
    if reply.last.is_some() {
        return Verdict::pass(said!("{contact} answers", "{contact} 有应答"));
    }
    // Does the device answer there where the call came from?
    let address = ua.plan(|plan| plan.address);
    ua.line(|line| line.calls.get_mut(&call.id).map(|dialog| dialog.address = address));
    let inside = call.draft("OPTIONS");
    let reply = call.ask(inside).await;
    if reply.last.is_some() {
        Verdict::fail(said!(
            "nobody answers at {contact}; the device itself is at {address}",
            "{contact} 无应答；设备实际位于 {address}"
        ))
    } else {
        Verdict::fail(said!("requests within the call are not answered", "通话内请求没有应答"))
    }
}

async fn ack(ua: Ua) -> Verdict {
    let call = with_call!(&ua);
    let acked = ua.now();
    // T1, 2 T1 and 4 T1 after the 200 it would come again.
    call.talk(Duration::from_millis(3_800)).await;
    match call.repeats() {
        (0, _) => Verdict::pass(said!("the 200 came once", "200 只出现一次")),
        // One may have crossed our ACK on the way.
        (1, Some(last)) if last.saturating_duration_since(acked) < Duration::from_millis(600) => {
            Verdict::pass(said!("the 200 came once more, crossing the ACK", "200 与 ACK 交错，多出现一次"))
        }
        (times, _) => {
            Verdict::fail(said!("the 200 came {times} more times after its ACK", "ACK 之后 200 又出现 {times} 次"))
        }
    }
}

async fn answer(ua: Ua) -> Verdict {
    let call = with_call!(&ua);
    let Some(sdp) = &call.sdp else { return Verdict::fail(said!("no answer in the 200", "200 没有应答 SDP")) };
    let offered = Written::offer(ua.plan(|plan| plan.media(Socket::Rtp))).formats;
    let Some(audio) = sdp.audio() else { return Verdict::fail(said!("no audio stream", "没有音频流")) };
    let names = audio.names();
    let strange: Vec<String> = audio
        .formats
        .iter()
        .filter(|format| !offered.contains(&format.payload))
        .map(|format| format.payload.to_string())
        .collect();
    let list = strange.join(", ");
    if sdp.streams.len() != 1 {
        let count = sdp.streams.len();
        return Verdict::fail(said!("{count} streams for the one offered", "提议一个流，应答 {count} 个"));
    }
    if audio.profile != "RTP/AVP" {
        let profile = &audio.profile;
        return Verdict::fail(said!("RTP/AVP was offered, {profile} answered", "提议 RTP/AVP，应答 {profile}"));
    }
    if !audio.formats.iter().any(|format| matches!(format.payload, 0 | 8)) {
        return Verdict::fail(said!("no voice codec of the offer: {names}", "没有所提议的语音编码：{names}"));
    }
    if call.target().is_none() {
        return Verdict::fail(said!("no address for audio", "没有音频地址"));
    }
    if strange.is_empty() {
        Verdict::pass(said!("{names}", "{names}"))
    } else {
        Verdict::warn(said!("types that were not offered: {list}", "应答了未提议的类型：{list}"))
    }
}

async fn delayed(ua: Ua) -> Verdict {
    match Call::place_with(&ua, Invite::delayed()).await {
        Err(NoCall::Refused(response)) => {
            let (status, reason) = (response.status, &response.reason);
            Verdict::fail(said!("refused: {status} {reason}", "被拒绝：{status} {reason}"))
        }
        Err(none) => none.verdict(),
        Ok(call) => {
            if call.sdp.is_none() {
                return Verdict::fail(said!("the 200 holds no offer", "200 中没有提议"));
            }
            call.talk(Duration::from_millis(1_200)).await;
            let heard = call.ear(Socket::Rtp).packets;
            let has_target = call.target().is_some();
            match (has_target, heard) {
                (false, _) => Verdict::fail(said!("its offer has no address for audio", "提议没有音频地址")),
                (true, 0) => Verdict::warn(said!("offer and answer, but no audio from it", "协商成功，但没有收到音频")),
                (true, _) => Verdict::pass(said!("offer, answer and audio", "提议、应答与音频均正常")),
            }
        }
    }
}

async fn codec_none(ua: Ua) -> Verdict {
    let mut offer = Written::offer(ua.plan(|plan| plan.media(Socket::Rtp)));
    offer.formats = vec![98];
    let invite = Invite { offer: Some(offer), headers: Vec::new() };
    match Call::place_with(&ua, invite).await {
        Ok(call) => {
            let words = call.response.status;
            Verdict::fail(said!("it was answered with {words}", "被接听：{words}"))
        }
        Err(NoCall::Refused(response)) => {
            let (status, reason) = (response.status, response.reason.to_string());
            if matches!(status, 415 | 488 | 606) {
                Verdict::pass(said!("{status} {reason}", "{status} {reason}"))
            } else {
                Verdict::warn(said!("{status} {reason} where 488 was due", "应答 {status} {reason}（应为 488）"))
            }
        }
        Err(none) => Verdict::warn(none.text()),
    }
}

async fn second_stream(ua: Ua) -> Verdict {
    let mut offer = Written::offer(ua.plan(|plan| plan.media(Socket::Rtp)));
    let port = ua.plan(|plan| plan.media(Socket::Second).port());
    offer.more = vec![format!("m=video {port} RTP/AVP 31"), "a=rtpmap:31 H261/90000".into(), "a=inactive".into()];
    let invite = Invite { offer: Some(offer), headers: Vec::new() };
    match Call::place_with(&ua, invite).await {
        Err(none) => none.verdict(),
        Ok(call) => {
            let kinds: Vec<String> =
                call.sdp.iter().flat_map(|sdp| &sdp.streams).map(|stream| stream.kind.clone()).collect();
            let list = kinds.join(", ");
            let right = kinds == ["audio", "video"];
            Verdict::of(right, said!("audio, video offered; answered: {list}", "提议 audio, video；应答：{list}"))
        }
    }
}

async fn srtp(ua: Ua) -> Verdict {
    let mut offer = Written::offer(ua.plan(|plan| plan.media(Socket::Rtp)));
    offer.profile = "RTP/SAVP";
    // 30 bytes of key and salt (RFC 4568 §6.1); this call carries no speech.
    let key = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw";
    offer.more = vec![format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}")];
    let invite = Invite { offer: Some(offer), headers: Vec::new() };
    match Call::place_with(&ua, invite).await {
        Ok(call) => {
            let profile = call.sdp.as_ref().and_then(Sdp::audio).map(|audio| audio.profile.clone()).unwrap_or_default();
            if profile == "RTP/SAVP" {
                Verdict::pass(said!("accepted", "已接受"))
            } else {
                Verdict::fail(said!("RTP/SAVP was offered, {profile} answered", "提议 RTP/SAVP，应答 {profile}"))
            }
        }
        Err(NoCall::Refused(response)) => {
            let (status, reason) = (response.status, response.reason.to_string());
            if matches!(status, 415 | 488 | 606) {
                Verdict::not_offered(said!("refused with {status}", "以 {status} 拒绝"))
            } else {
                Verdict::warn(said!("{status} {reason} where 488 was due", "应答 {status} {reason}（应为 488）"))
            }
        }
        Err(none) => Verdict::warn(none.text()),
    }
}

async fn answer_delay(ua: Ua) -> Verdict {
    let call = with_call!(&ua);
    let ringing = call.provisional.iter().find(|(_, response)| response.status >= 180).map(|(took, _)| *took);
    let (rang, answered) = (ringing.unwrap_or(call.took).as_millis(), call.took.as_millis());
    let text = said!("rings after {rang} ms, answered after {answered} ms", "{rang} 毫秒后振铃，{answered} 毫秒后接听");
    if rang > 6_000 { Verdict::warn(text) } else { Verdict::pass(text) }
}

async fn merged(ua: Ua) -> Verdict {
    let Some(mut attempt) = Attempt::start(&ua, Invite::early(&ua)) else { return NoCall::Silence.verdict() };
    // The same From tag, Call-ID and CSeq by another branch: two ways of one request.
    let mut other = attempt.asked.clone();
    let branch = ua.branch();
    let via = other.header("Via").unwrap_or_default().replacen(&other.branch, &branch, 1);
    other = other.set("Via", via);
    other.branch = branch.clone();
    ua.send(&other);
    let until = ua.after(Duration::from_secs(2));
    let (mut second, mut first) = (None, None);
    while second.is_none() || first.is_none() {
        let Some(happened) = ua.next(until).await else { break };
        let crate::line::What::Response(response) = &happened.what else {
            ua.be_polite(&happened);
            continue;
        };
        if response.head.call_id.as_str() != attempt.asked.call_id || response.status < 200 {
            continue;
        }
        let slot = if response.head.top_branch() == branch { &mut second } else { &mut first };
        *slot = Some(response.clone());
    }
    // Leave nothing ringing.
    match first {
        Some(response) if response.status < 300 => {
            attempt.done = Some((Duration::ZERO, response.as_ref().clone()));
            let mut call = attempt.accept(&response);
            let _ = call.bye().await;
        }
        Some(_) => {}
        None => {
            let cancel = attempt.cancel();
            let _ = ua.ask(cancel).await;
            let last = ua.after(Duration::from_secs(1));
            let _ = attempt.step(last).await;
        }
    }
    match second.map(|response| response.status) {
        Some(482) => Verdict::pass(said!("482 for the second", "第二个得到 482")),
        Some(401 | 407) => Verdict::skipped(said!("both are challenged first", "两者都先被要求认证")),
        Some(status @ 200..=299) => Verdict::warn(said!("both were answered ({status})", "两者都被接听（{status}）")),
        Some(status) => Verdict::warn(said!("{status} where 482 was due", "应答 {status}（应为 482）")),
        None => Verdict::warn(said!("the second got no final answer", "第二个没有最终应答")),
    }
}
