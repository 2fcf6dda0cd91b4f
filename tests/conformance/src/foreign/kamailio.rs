//! Kamailio, which writes down what it reads of each message in its own words (pseudo-variables), checks it with its own
//! module for that (`sanity`), and keeps it to itself.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use harness::process::{free_ports, wait_for};

use super::{ADDRESSES, Reading};

/// What it says of a message, and how it is asked.
const PARTS: [(&str, &str); 16] = [
    ("uri", "$ru"),
    ("method", "$var(method)"),
    ("status", "$var(status)"),
    ("from", "$fu"),
    ("from-tag", "$ft"),
    ("to", "$tu"),
    ("to-tag", "$tt"),
    ("call-id", "$ci"),
    ("cseq", "$cs"),
    ("cseq-method", "$(csb{s.select,1, })"),
    ("vias", "$hflc(Via)"),
    ("branch", "$via0(branch)"),
    ("contact", "$var(contact)"),
    ("length", "$cl"),
    ("body", "$rb"),
    ("sdp", "$sdp(body)"),
];

pub fn parts() -> Vec<&'static str> {
    PARTS.iter().map(|(part, _)| *part).filter(|part| *part != "sdp").chain(["insane"]).chain(ADDRESSES).collect()
}

/// A reading of each message, in order. A message that it does not read has no part at all.
pub fn read(folder: &Path, messages: &[Bytes]) -> Vec<Reading> {
    let mut kamailio = Kamailio::start(folder);
    messages.iter().enumerate().map(|(number, message)| kamailio.reads(number, message)).collect()
}

struct Kamailio {
    child: Child,
    said: BufReader<ChildStderr>,
    socket: UdpSocket,
}

impl Kamailio {
    fn start(folder: &Path) -> Self {
        let port = free_ports(1);
        let file = folder.join("reader.cfg");
        std::fs::write(&file, config(port)).expect("written");
        let mut command = Command::new("kamailio");
        command.args(["-DD", "-E", "-m", "64", "-M", "16", "-f"]).arg(&file).arg("-Y").arg(folder);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("kamailio");
        let said = BufReader::new(child.stderr.take().expect("its words"));
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.connect(("127.0.0.1", port)).expect("an address");
        let mut kamailio = Self { child, said, socket };
        // Where nobody listens yet, the loopback says so at once.
        let listens = || {
            let sent = kamailio.socket.send(mark(usize::MAX).as_bytes()).is_ok();
            (sent && kamailio.socket.take_error().ok()?.is_none()).then_some(())
        };
        wait_for("kamailio to listen", Duration::from_secs(20), listens).expect("kamailio");
        kamailio.until(&format!("@mark {}\n", usize::MAX));
        kamailio
    }

    /// One child reads in order, so what stands before the mark is of the message.
    fn reads(&mut self, number: usize, message: &[u8]) -> Reading {
        self.socket.send(message).expect("sent");
        self.socket.send(mark(number).as_bytes()).expect("sent");
        let said = self.until(&format!("@mark {number}\n"));
        let mut reading = Reading::default();
        for line in said {
            if let Some((_, told)) = line.split_once("@read ") {
                reading.parts.extend(Reading::told(told).parts);
            } else if line.contains("@insane") {
                reading.put("insane", "yes");
            }
        }
        reading
    }

    fn until(&mut self, what: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            let length = self.said.read_until(b'\n', &mut line).expect("its words");
            let line = String::from_utf8_lossy(&line).into_owned();
            assert!(length > 0, "kamailio ended: {lines:?}");
            if line.contains(what) {
                return lines;
            }
            lines.push(line);
        }
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // It ends its children at a TERM, and leaves them behind at a KILL.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn mark(number: usize) -> String {
    format!(
        "MARK sip:{number}@mark.invalid SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKmark{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:mark@mark.invalid>;tag=1\r\nTo: <sip:mark@mark.invalid>\r\n\
         Call-ID: mark{number}\r\nCSeq: 1 MARK\r\nContent-Length: 0\r\n\r\n"
    )
}

fn config(port: u16) -> String {
    let mut told = String::new();
    let of_headers = ADDRESSES.map(|name| (name, format!("$(hdr({name}){{nameaddr.uri}})")));
    let of_headers = of_headers.iter().map(|(name, variable)| (*name, variable.as_str()));
    for (part, variable) in PARTS.into_iter().chain(of_headers) {
        let hex = match variable.strip_prefix("$(").and_then(|inner| inner.strip_suffix(')')) {
            Some(inner) => format!("$({inner}{{s.encode.hexa}})"),
            None => format!("$({}{{s.encode.hexa}})", variable.trim_start_matches('$')),
        };
        write!(told, "{part}={hex} ").expect("a string");
    }
    format!(
        r#"#!KAMAILIO
debug=1
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
listen=udp:127.0.0.1:{port}
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "sl.so"
loadmodule "xlog.so"
loadmodule "sdpops.so"
loadmodule "sanity.so"
modparam("xlog", "buf_size", 262144)
modparam("sanity", "autodrop", 0)
route[SAY] {{
  $var(contact) = "";
  if (is_present_hf("Contact")) {{
    if ($ct == "*") {{ $var(contact) = "*"; }} else {{ $var(contact) = $(ct{{nameaddr.uri}}); }}
  }}
  xlog("L_ERR", "@read {told}\n");
}}
request_route {{
  if ($rm == "MARK") {{ xlog("L_ERR", "@mark $rU\n"); exit; }}
  $var(method) = $rm;
  $var(status) = "";
  route(SAY);
  if (!sanity_check("17895", "7")) {{ xlog("L_ERR", "@insane\n"); }}
  exit;
}}
reply_route {{
  $var(method) = "";
  $var(status) = $rs;
  route(SAY);
  # Without what it asks of start lines: a URI, and CSeq's method in it.
  if (!sanity_check("16584", "7")) {{ xlog("L_ERR", "@insane\n"); }}
  drop;
}}
"#
    )
}
