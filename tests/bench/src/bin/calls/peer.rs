//! Kamailio as a stateful proxy that anchors media in rtpengine.

use std::{net::SocketAddr, path::Path, time::Duration};

use bench::{cpu, rtpengine::Rtpengine};
use harness::process::{Program, free_ports, wait_for};

/// The programs whose time counts, and where calls go.
pub fn start(dir: &Path, phone: u16) -> anyhow::Result<(Vec<Program>, SocketAddr)> {
    let engine = Rtpengine::start(dir, 34_000..=59_998)?;
    let sip = free_ports(2);
    let config = dir.join("kamailio.cfg");
    std::fs::write(&config, text(sip, phone, engine.control.port(), dir))?;
    let mut command = cpu::measured(Path::new("kamailio"));
    command.args(["-DD", "-E", "-m", "256", "-M", "16", "-f"]).arg(&config).arg("-Y").arg(dir);
    let program = Program::start("kamailio", command, &dir.join("kamailio.log"))?;
    wait_for("Kamailio listens", Duration::from_secs(10), || std::net::UdpSocket::bind(("127.0.0.1", sip)).err())?;
    std::thread::sleep(Duration::from_secs(3));
    Ok((vec![program, engine.program], SocketAddr::from(([127, 0, 0, 1], sip))))
}

fn text(sip: u16, phone: u16, rtpengine: u16, dir: &Path) -> String {
    let mut text = format!("listen=udp:127.0.0.1:{sip}\nmpath=\"/usr/lib/x86_64-linux-gnu/kamailio/modules/\"\n");
    text.push_str("debug=0\nlog_stderror=yes\nchildren=2\ndisable_tcp=yes\nauto_aliases=no\n");
    for module in ["tm", "sl", "rr", "pv", "maxfwd", "textops", "siputils", "kex", "corex", "rtpengine"] {
        text.push_str(&format!("loadmodule \"{module}.so\"\n"));
    }
    text.push_str(&format!("modparam(\"rtpengine\", \"rtpengine_sock\", \"udp:127.0.0.1:{rtpengine}\")\n"));
    text.push_str(&format!("# working files: {}\n", dir.display()));
    text.push_str(
        r#"request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (has_totag()) {
    if (is_method("BYE")) rtpengine_delete();
    loose_route();
    t_relay();
    exit;
  }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  t_check_trans();
  if (!is_method("INVITE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
  record_route();
  if (has_body("application/sdp")) rtpengine_offer();
"#,
    );
    text.push_str(&format!("  $du = \"sip:127.0.0.1:{phone}\";\n"));
    text.push_str(
        r#"  t_on_reply("answer");
  t_relay();
}
onreply_route[answer] {
  if (has_body("application/sdp")) rtpengine_answer();
}
"#,
    );
    text
}
