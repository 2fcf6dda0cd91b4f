//! TCP, TLS and keep-alive (RFC 3261 §18, §26; RFC 5626).

use std::time::Duration;

use super::{Probe, probe};
use crate::line::What;
use crate::plan::Link;
use crate::said;
use crate::ua::Ua;
use crate::verdict::Verdict;

pub const PROBES: &[Probe] = &[
    probe!(
        "tcp",
        "RFC 3261 §18",
        Nothing,
        ALL_KINDS,
        tcp,
        "TCP is served",
        "支持 TCP",
        "Enable SIP over TCP: RFC 3261 demands it, and long messages need it.",
        "请启用 SIP over TCP：RFC 3261 要求支持，且长消息需要它。"
    ),
    probe!(
        "tcp-pieces",
        "RFC 3261 §7.5, §18.3",
        Nothing,
        ALL_KINDS,
        tcp_pieces,
        "A message that comes in pieces over TCP is read whole",
        "TCP 分段到达的消息可完整读取",
        "Calls will fail at random over TCP: use UDP with this firmware.",
        "TCP 上呼叫会随机失败：此固件请使用 UDP。"
    ),
    probe!(
        "tls",
        "RFC 3261 §26.2",
        Nothing,
        ALL_KINDS,
        tls,
        "TLS is served",
        "支持 TLS",
        "Enable SIP over TLS where the device has it: without it anybody in the network reads who calls whom.",
        "如设备支持请启用 TLS：否则网络中任何人都能看到谁在呼叫谁。"
    ),
    probe!(
        "keep-alive",
        "RFC 5626 §3.5.1",
        Nothing,
        ALL_KINDS,
        keep_alive,
        "A double CRLF over TCP is answered with one",
        "TCP 上的双 CRLF 得到单 CRLF 应答",
        "Behind a NAT use a short registration instead of keep-alives.",
        "在 NAT 之后请使用较短的注册周期代替保活。"
    ),
    probe!(
        "blank-udp",
        "RFC 5626 §3.5.1, RFC 3261 §7.5",
        Nothing,
        ALL_KINDS,
        blank_udp,
        "Blank datagrams do no harm",
        "空白数据报不造成影响",
        "Switch off keep-alives towards this device.",
        "请关闭发往该设备的保活。"
    ),
];

async fn tcp(ua: Ua) -> Verdict {
    if let Err(why) = ua.open(Link::Tcp).await {
        return Verdict::fail(said!("no connection: {why}", "无法连接：{why}"));
    }
    let to = ua.plan(|plan| plan.address);
    let reply = ua.ask(ua.options().over(Link::Tcp, to)).await;
    let words = reply.words();
    Verdict::of(reply.last.is_some(), said!("OPTIONS over TCP: {words}", "TCP 上的 OPTIONS：{words}"))
}

async fn tcp_pieces(ua: Ua) -> Verdict {
    if ua.open(Link::Tcp).await.is_err() {
        return Verdict::skipped(said!("no TCP", "不支持 TCP"));
    }
    let to = ua.plan(|plan| plan.address);
    let draft = ua.options().over(Link::Tcp, to);
    let bytes = draft.render();
    let (head, tail) = bytes.split_at(bytes.len() / 2);
    ua.line(|line| line.send(Link::Tcp, to, head.to_vec()));
    ua.listen(Duration::from_millis(200)).await;
    // The second half is followed by a whole request: two answers must come.
    let second = ua.options().over(Link::Tcp, to);
    ua.line(|line| line.send(Link::Tcp, to, [tail, &second.render()].concat()));
    let until = ua.after(crate::ua::PATIENCE);
    let mut answers = 0_u32;
    while answers < 2 {
        let Some(happened) = ua.next(until).await else { break };
        match &happened.what {
            What::Response(response) if response.status >= 200 => answers = answers.saturating_add(1),
            What::Closed(_) => break,
            _ => ua.be_polite(&happened),
        }
    }
    Verdict::of(answers == 2, said!("{answers} of 2 requests were answered", "2 个请求中有 {answers} 个得到应答"))
}

async fn tls(ua: Ua) -> Verdict {
    if let Err(why) = ua.open(Link::Tls).await {
        return Verdict::not_offered(said!("no connection: {why}", "无法连接：{why}"));
    }
    let to = ua.plan(|plan| plan.tls_address);
    let reply = ua.ask(ua.options().over(Link::Tls, to)).await;
    let words = reply.words();
    Verdict::of(reply.last.is_some(), said!("OPTIONS over TLS: {words}", "TLS 上的 OPTIONS：{words}"))
}

async fn keep_alive(ua: Ua) -> Verdict {
    if ua.open(Link::Tcp).await.is_err() {
        return Verdict::skipped(said!("no TCP", "不支持 TCP"));
    }
    let to = ua.plan(|plan| plan.address);
    ua.line(|line| line.send(Link::Tcp, to, b"\r\n\r\n".to_vec()));
    let until = ua.after(Duration::from_secs(2));
    while let Some(happened) = ua.next(until).await {
        match &happened.what {
            What::Blank => return Verdict::pass(said!("answered", "已应答")),
            What::Closed(_) => {
                return Verdict::fail(said!("it closed the connection instead", "设备关闭了连接"));
            }
            _ => ua.be_polite(&happened),
        }
    }
    Verdict::not_offered(said!("no answer, and the connection stays", "无应答，连接保持"))
}

async fn blank_udp(ua: Ua) -> Verdict {
    let to = ua.plan(|plan| plan.address);
    ua.line(|line| line.send(Link::Udp, to, b"\r\n\r\n".to_vec()));
    ua.line(|line| line.send(Link::Udp, to, vec![0; 4]));
    let reply = ua.ask(ua.options()).await;
    let words = reply.words();
    Verdict::of(reply.last.is_some(), said!("OPTIONS afterwards: {words}", "之后的 OPTIONS：{words}"))
}
