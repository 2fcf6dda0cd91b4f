//! Keypresses (RFC 4733, RFC 6086): agreed on, borne, and well shaped when the device sends them.

use std::time::Duration;

use super::calls::with_call;
use super::{Probe, probe};
use crate::ear::{Ear, Key};
use crate::plan::Socket;
use crate::said;
use crate::ua::Ua;
use crate::verdict::Verdict;

pub const PROBES: &[Probe] = &[
    probe!(
        "dtmf-offer",
        "RFC 4733 §2.4",
        Call,
        ALL_KINDS,
        offer,
        "Keypresses as events are agreed on",
        "协商按键事件（telephone-event）",
        "Set the DTMF mode to RFC 2833/4733: tones in the audio are lost on compressed lines and are recorded.",
        "请将 DTMF 方式设为 RFC 2833/4733：带内音在压缩线路上会丢失，且会被录音。"
    ),
    probe!(
        "dtmf-to",
        "RFC 4733 §2.5",
        Call,
        ALL_KINDS,
        to,
        "Keypresses towards it do not disturb the call",
        "向其发送按键不影响通话",
        "Try INFO for keys towards this device.",
        "对该设备可尝试用 INFO 发送按键。"
    ),
    probe!(
        "dtmf-from",
        "RFC 4733 §2.5",
        Keys,
        ALL_KINDS,
        from,
        "Keypresses of the device are well shaped events",
        "设备发出的按键事件格式正确",
        "Menus will miss or double digits: set the DTMF mode to RFC 2833/4733 with payload type 101.",
        "菜单会漏键或重复：请将 DTMF 方式设为 RFC 2833/4733，负载类型 101。"
    ),
    probe!(
        "dtmf-info",
        "RFC 6086",
        Call,
        ALL_KINDS,
        info,
        "INFO with a key is answered",
        "带按键的 INFO 得到应答",
        "Use RFC 4733 for keys; nothing else to do.",
        "请使用 RFC 4733 按键；无需其他处理。"
    ),
];

async fn offer(ua: Ua) -> Verdict {
    let call = with_call!(&ua);
    match call.event_payload() {
        Some(payload @ 96..=127) => {
            Verdict::pass(said!("telephone-event, type {payload}", "telephone-event，类型 {payload}"))
        }
        Some(payload) => Verdict::fail(said!("type {payload} is not a dynamic one", "类型 {payload} 不是动态类型")),
        None => Verdict::warn(said!("no telephone-event in the answer", "应答中没有 telephone-event")),
    }
}

async fn to(ua: Ua) -> Verdict {
    let call = with_call!(&ua);
    if call.event_payload().is_none() {
        return Verdict::not_offered(said!("no telephone-event in the answer", "应答中没有 telephone-event"));
    }
    call.talk(Duration::from_millis(500)).await;
    let before = call.ear(Socket::Rtp).packets;
    for key in ['1', '5', '#'] {
        call.press(key);
        call.talk(Duration::from_millis(400)).await;
    }
    call.fresh_ears();
    call.talk(Duration::from_millis(400)).await;
    let ear = call.ear(Socket::Rtp);
    match (call.dialog().is_some(), before, ear.packets) {
        (false, ..) => Verdict::fail(said!("it hung up", "设备挂断")),
        (true, 1.., 0) => Verdict::fail(said!("its audio stopped", "其音频停止")),
        (true, ..) => Verdict::pass(said!("three keys were sent, the call goes on", "已发送三个按键，通话继续")),
    }
}

async fn from(ua: Ua) -> Verdict {
    let call = with_call!(&ua);
    let wait = ua.plan(|plan| plan.keys).unwrap_or_default();
    let until = ua.after(wait);
    while ua.now() < until && call.dialog().is_some() {
        call.talk(Duration::from_millis(200)).await;
        let ear = call.ear(Socket::Rtp);
        // The repeated ends of the last key have come, or will not.
        if !ear.keys.is_empty() && ua.now() < until {
            call.talk(Duration::from_millis(600)).await;
            break;
        }
    }
    let ear = call.ear(Socket::Rtp);
    let agreed: Vec<u8> = call.event_payload().into_iter().chain([crate::sdp::TELEPHONE_EVENT]).collect();
    match fault(&ear, &agreed) {
        None if ear.keys.is_empty() => Verdict::warn(said!("no event came", "没有收到事件")),
        None => {
            let keys: String = ear.keys.iter().filter_map(|key| media::dtmf::key(key.code)).collect();
            Verdict::pass(said!("heard: {keys}", "听到：{keys}"))
        }
        Some(verdict) => verdict,
    }
}

/// What is wrong with the shape of events, by RFC 4733 §2.5.1.
pub fn fault(ear: &Ear, agreed: &[u8]) -> Option<Verdict> {
    let strange = ear.keys.iter().find(|key| !agreed.contains(&key.payload_type));
    if let Some(Key { payload_type, .. }) = strange {
        return Some(Verdict::fail(said!(
            "events of type {payload_type}, which was not agreed on",
            "事件类型 {payload_type} 未经协商"
        )));
    }
    // One keypress must keep one timestamp; a new one with every packet is heard as many keys.
    let lone = ear.keys.iter().filter(|key| key.packets == 1).count();
    if lone > 2 && lone.saturating_mul(2) > ear.keys.len() {
        return Some(Verdict::fail(said!(
            "the timestamp moves within a keypress: one key is heard as {lone}",
            "一次按键内时间戳变化：一个键被听成 {lone} 个"
        )));
    }
    if let Some(key) = ear.keys.iter().find(|key| key.shrank) {
        let code = key.code;
        return Some(Verdict::fail(said!("the duration of event {code} goes backwards", "事件 {code} 的时长倒退")));
    }
    if let Some(key) = ear.keys.iter().find(|key| key.ends == 0) {
        let code = key.code;
        return Some(Verdict::fail(said!("event {code} never ends", "事件 {code} 没有结束")));
    }
    if let Some(key) = ear.keys.iter().find(|key| key.ends < 3) {
        let ends = key.ends;
        return Some(Verdict::warn(said!(
            "the end is sent {ends} times, not three",
            "结束包只发送 {ends} 次，应为三次"
        )));
    }
    ear.keys
        .iter()
        .any(|key| !key.marked)
        .then(|| Verdict::warn(said!("the first packet of an event is not marked", "事件首包没有标记位")))
}

async fn info(ua: Ua) -> Verdict {
    let mut call = with_call!(&ua);
    let draft = call.draft("INFO").body("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n");
    let reply = call.ask(draft).await;
    let words = reply.words();
    match reply.status() {
        Some(200..=299) => Verdict::pass(said!("{words}", "{words}")),
        Some(405 | 415 | 469 | 501) => Verdict::not_offered(said!("{words}", "{words}")),
        Some(_) => Verdict::warn(said!("{words}", "{words}")),
        None => Verdict::fail(said!("no answer", "没有应答")),
    }
}
