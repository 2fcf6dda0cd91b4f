//! What is heard (RFC 3550, RFC 3551, RFC 3389): both ways, evenly, from where it was promised, in what was agreed on.

use std::time::Duration;

use super::calls::with_call;
use super::{Probe, probe};
use crate::call::{Call, Invite};
use crate::plan::Socket;
use crate::said;
use crate::ua::Ua;
use crate::verdict::Verdict;

pub const PROBES: &[Probe] = &[
    probe!(
        "codecs",
        "RFC 3551",
        Call,
        ALL_KINDS,
        codecs,
        "Which codecs it offers, and at which packet time",
        "提供的编码与打包时长",
        "G.711 must be on; prefer G.722 or Opus inside, G.711 outside.",
        "必须启用 G.711；内部可优先 G.722 或 Opus，对外用 G.711。"
    ),
    probe!(
        "rtp",
        "RFC 3550 §6.4",
        Call,
        ALL_KINDS,
        rtp,
        "Audio comes, without loss and with little jitter",
        "收到音频，无丢包且抖动小",
        "Look at the network first: cables, duplex, Wi-Fi, quality of service (DSCP 46).",
        "请先检查网络：网线、双工、Wi-Fi 与 QoS（DSCP 46）。"
    ),
    probe!(
        "ptime",
        "RFC 3551 §4.2, RFC 4566 §6",
        Call,
        ALL_KINDS,
        ptime,
        "Packets come as often as agreed",
        "按约定的间隔发包",
        "Set the packet time of the device to 20 ms.",
        "请将设备打包时长设为 20 毫秒。"
    ),
    probe!(
        "symmetric",
        "RFC 4961",
        Call,
        ALL_KINDS,
        symmetric,
        "Audio comes from where it wants it sent to",
        "音频来源与其声明地址一致",
        "Behind a NAT this is one-way audio: set the public address, or mark the trunk as behind NAT.",
        "在 NAT 后会单向无声：请设置公网地址，或将中继标为 NAT 之后。"
    ),
    probe!(
        "payloads",
        "RFC 3264 §6.1, RFC 3389",
        Call,
        ALL_KINDS,
        payloads,
        "Only what was agreed on is sent",
        "只发送已协商的类型",
        "Switch off silence suppression and redundant audio, or fix the codec list.",
        "请关闭静音压缩与冗余音频，或修正编码列表。"
    ),
    probe!(
        "ssrc-one",
        "RFC 3550 §8",
        Call,
        ALL_KINDS,
        ssrc_one,
        "Its audio is one source",
        "音频来自同一同步源",
        "Sources that change at will disturb jitter buffers and recording: update the firmware.",
        "随意变化的源会干扰抖动缓冲与录音：请升级固件。"
    ),
    probe!(
        "ssrc-change",
        "RFC 3550 §8.2",
        Call,
        ALL_KINDS,
        ssrc_change,
        "It bears another source from us in the middle of a call",
        "通话中可承受我方同步源变化",
        "After transfers it may fall silent: update the firmware.",
        "转接后可能无声：请升级固件。"
    ),
    probe!(
        "hold-long",
        "RFC 3550",
        Call,
        ALL_KINDS,
        patience,
        "It bears three seconds without audio from us",
        "可承受我方三秒静默",
        "Raise the device's RTP timeout above the longest hold.",
        "请将设备的 RTP 超时设为大于最长保持时间。"
    ),
];

async fn codecs(ua: Ua) -> Verdict {
    let call = match Call::place_with(&ua, Invite::delayed()).await {
        Ok(call) => call,
        Err(_) => with_call!(&ua),
    };
    let Some(audio) = call.sdp.as_ref().and_then(|sdp| sdp.audio()) else {
        return Verdict::fail(said!("it describes no audio", "没有描述音频"));
    };
    let names = audio.names();
    let ptime = audio.ptime_ms.map_or("–".to_string(), |ms| ms.to_string());
    let has = audio.formats.iter().any(|format| matches!(format.name.as_str(), "pcma" | "pcmu"));
    Verdict::of(has, said!("{names}; ptime {ptime}", "{names}；ptime {ptime}"))
}

async fn rtp(ua: Ua) -> Verdict {
    let call = with_call!(&ua);
    call.talk(Duration::from_secs(3)).await;
    let ear = call.ear(Socket::Rtp);
    let (packets, lost, jitter) = (ear.packets, ear.lost(), ear.jitter_ms());
    let text = said!(
        "{packets} packets in 3 s, {lost} lost, jitter {jitter} ms",
        "3 秒内 {packets} 个包，丢失 {lost}，抖动 {jitter} 毫秒"
    );
    if packets == 0 {
        return Verdict::fail(said!("no audio came", "没有收到音频"));
    }
    // 1 % and 30 ms: ITU-T G.107's quality begins to suffer.
    let many_lost = lost.saturating_mul(100) > packets.saturating_add(lost);
    if many_lost || jitter > 30 { Verdict::warn(text) } else { Verdict::pass(text) }
}

async fn ptime(ua: Ua) -> Verdict {
    let call = with_call!(&ua);
    call.talk(Duration::from_secs(2)).await;
    let ear = call.ear(Socket::Rtp);
    let told = call.sdp.as_ref().and_then(|sdp| sdp.audio()).and_then(|audio| audio.ptime_ms);
    let Some(spacing) = ear.spacing_ms() else {
        return Verdict::skipped(said!("too little audio came", "音频太少"));
    };
    let agreed = u64::from(told.unwrap_or(20));
    let bytes = ear.payload_len;
    let text = said!(
        "every {spacing} ms, {bytes} bytes; agreed: {agreed} ms",
        "每 {spacing} 毫秒，{bytes} 字节；约定：{agreed} 毫秒"
    );
    match (spacing.abs_diff(agreed) <= 5, spacing.abs_diff(20) <= 5) {
        (true, true) => Verdict::pass(text),
        (true, false) => Verdict::warn(text),
        (false, _) => Verdict::fail(text),
    }
}

async fn symmetric(ua: Ua) -> Verdict {
    let call = with_call!(&ua);
    call.talk(Duration::from_secs(1)).await;
    let ear = call.ear(Socket::Rtp);
    let Some(wanted) = call.target() else { return Verdict::fail(said!("no address for audio", "没有音频地址")) };
    let from: Vec<String> = ear.from.iter().map(ToString::to_string).collect();
    let list = from.join(", ");
    match ear.from.len() {
        0 => Verdict::skipped(said!("no audio came", "没有收到音频")),
        1 if ear.from.contains(&wanted) => Verdict::pass(said!("{wanted}", "{wanted}")),
        _ => Verdict::warn(said!("it wants audio at {wanted} and sends from {list}", "声明 {wanted}，实际来自 {list}")),
    }
}

async fn payloads(ua: Ua) -> Verdict {
    let call = with_call!(&ua);
    call.talk(Duration::from_millis(1_500)).await;
    let ear = call.ear(Socket::Rtp);
    if ear.packets == 0 {
        return Verdict::skipped(said!("no audio came", "没有收到音频"));
    }
    let agreed: Vec<u8> = call
        .sdp
        .iter()
        .filter_map(|sdp| sdp.audio())
        .flat_map(|audio| audio.formats.iter().map(|format| format.payload))
        .collect();
    let sent: Vec<String> = ear.payloads.keys().map(ToString::to_string).collect();
    let list = sent.join(", ");
    let strange: Vec<&u8> = ear.payloads.keys().filter(|payload| !agreed.contains(payload)).collect();
    let noise = ear.payloads.contains_key(&crate::sdp::COMFORT_NOISE);
    match (strange.is_empty(), noise) {
        (true, false) => Verdict::pass(said!("types {list}", "类型 {list}")),
        (true, true) => Verdict::pass(said!("types {list}; it sends comfort noise", "类型 {list}；发送舒适噪声")),
        (false, _) => {
            let count = strange.len();
            Verdict::fail(said!(
                "types {list}, of which {count} were not agreed on",
                "类型 {list}，其中 {count} 个未经协商"
            ))
        }
    }
}

async fn ssrc_one(ua: Ua) -> Verdict {
    let call = with_call!(&ua);
    call.talk(Duration::from_secs(2)).await;
    let sources = call.ear(Socket::Rtp).sources.len();
    match sources {
        0 => Verdict::skipped(said!("no audio came", "没有收到音频")),
        1 => Verdict::pass(said!("one source", "一个源")),
        _ => Verdict::warn(said!("{sources} sources in 2 s", "2 秒内 {sources} 个源")),
    }
}

async fn ssrc_change(ua: Ua) -> Verdict {
    let call = with_call!(&ua);
    call.talk(Duration::from_millis(700)).await;
    let before = call.ear(Socket::Rtp).packets;
    call.speak(Socket::Rtp, 0x2ab0_0001);
    call.talk(Duration::from_millis(700)).await;
    call.fresh_ears();
    call.talk(Duration::from_millis(500)).await;
    still_there(&call, before).await
}

async fn patience(ua: Ua) -> Verdict {
    let call = with_call!(&ua);
    call.talk(Duration::from_millis(500)).await;
    let before = call.ear(Socket::Rtp).packets;
    ua.line(|line| line.speaker = None);
    ua.listen(Duration::from_secs(3)).await;
    call.fresh_ears();
    call.talk(Duration::from_millis(500)).await;
    still_there(&call, before).await
}

async fn still_there(call: &Call, before: u64) -> Verdict {
    let after = call.ear(Socket::Rtp).packets;
    match (call.dialog().is_some(), before, after) {
        (false, ..) => Verdict::fail(said!("it hung up", "设备挂断")),
        (true, 1.., 0) => Verdict::fail(said!("its own audio stopped", "其音频停止")),
        (true, 0, 0) => Verdict::skipped(said!("no audio came at all", "完全没有音频")),
        (true, ..) => Verdict::pass(said!("the call and its audio go on", "通话与音频继续")),
    }
}
