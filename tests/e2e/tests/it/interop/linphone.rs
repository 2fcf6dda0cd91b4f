//! linphone, a SIP and media stack that shares nothing with ours nor with baresip: it registers, is called by a
//! real phone through the box, and both hear one another.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use harness::company::PHONE_PASSWORD;
use harness::process::{free_ports, wait_for};
use harness::proof;

use super::{PATIENCE, branch, phone};

/// linphonec, told what to do on its standard input; ended when dropped.
struct Linphone {
    child: Child,
    log: PathBuf,
}

impl Linphone {
    fn start(folder: &Path, user: &str, domain: &str, registrar: &str) -> Self {
        std::fs::create_dir_all(folder.join(".local/share/linphone")).expect("a folder");
        let (sip, rtp) = (free_ports(2), free_ports(4));
        let text = format!(
            "[sip]\nsip_port={sip}\nsip_tcp_port=0\nsip_tls_port=0\nuse_ipv6=0\ndefault_proxy=0\n\
             register_only_when_network_is_up=0\n[rtp]\naudio_rtp_port={rtp}\n[video]\nenabled=0\ncapture=0\ndisplay=0\n\
             [audio_codec_0]\nmime=PCMA\nrate=8000\nchannels=1\nenabled=1\n\
             [proxy_0]\nreg_proxy=<sip:{registrar}>\nreg_route=<sip:{registrar};lr>\nreg_identity=sip:{user}@{domain}\n\
             reg_expires=600\nreg_sendregister=1\npublish=0\n\
             [auth_info_0]\nusername={user}\npasswd={PHONE_PASSWORD}\nrealm={domain}\ndomain={domain}\n"
        );
        let (rc, log) = (folder.join("linphonerc"), folder.join("linphone.log"));
        std::fs::write(&rc, text).expect("written");
        let out = std::fs::File::create(&log).expect("a log");
        let child = Command::new("linphonec")
            .args(["-a", "-d", "0", "-c"])
            .arg(&rc)
            .env("HOME", folder)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stderr(out.try_clone().expect("a log"))
            .stdout(out)
            .spawn()
            .expect("linphonec is installed");
        Self { child, log }
    }

    fn say(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).expect("linphonec listens");
    }

    fn wait(&self, what: &str) {
        let said = || std::fs::read_to_string(&self.log).unwrap_or_default();
        wait_for(&format!("linphone to say {what:?}"), PATIENCE, || said().contains(what).then_some(()))
            .unwrap_or_else(|error| panic!("{error:#}\n{}", said()));
    }
}

impl Drop for Linphone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn baresip_calls_linphone_through_the_box_and_both_hear_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let branch = branch(folder, harness::process::free_ports(2), |_| {});
    let (speech, heard) = (folder.join("speech.wav"), folder.join("heard.wav"));
    proof::speak("my washing machine is broken", 60, &speech).expect("a voice");
    let mut called = Linphone::start(&folder.join("linphone"), "102", &branch.domain, &branch.sip);
    called.say("soundcard use files");
    called.wait("Using wav files");
    called.say(&format!("record {}", heard.display()));
    called.say(&format!("play {}", speech.display()));
    let mut caller = phone(folder, &branch, "101", "this is the service desk how can i help you");
    let number = format!("sip:102@{}", branch.domain);
    // It answers once it is registered.
    let answered = || {
        caller.dial(&number).ok()?;
        caller.wait_event("CALL_ESTABLISHED", Duration::from_secs(3)).ok()
    };
    wait_for("linphone to answer", PATIENCE, answered).expect("a call");
    std::thread::sleep(Duration::from_secs(6));
    caller.hang_up().expect("hung up");
    called.wait("ended");
    called.say("quit");
    let at_baresip = || likeness(&caller.heard().ok()?, &speech);
    wait_for("baresip to have heard linphone", PATIENCE, at_baresip).expect("the called one's voice");
    let microphone = folder.join("baresip-101/microphone.wav");
    // Its WAV has a head that strict readers refuse; sox writes a proper one.
    let proper = folder.join("proper.wav");
    let written = || Command::new("sox").arg(&heard).arg(&proper).status().is_ok_and(|status| status.success());
    let at_linphone = || written().then(|| likeness(&proper, &microphone)).flatten();
    wait_for("linphone to have heard baresip", PATIENCE, at_linphone).expect("the caller's voice");
}

/// Whether what was heard is what was spoken, once it is written down: of eight quarters of a second at least half are
/// found sample by sample. A busy machine's jitter buffer may cut between them.
fn likeness(heard: &Path, spoken: &Path) -> Option<()> {
    let (heard, spoken) = (proof::samples(heard, 1).ok()?, proof::samples(spoken, 1).ok()?);
    let begins = spoken.iter().position(|sample| sample.abs() > 0.05)?;
    let pieces = spoken.get(begins..)?.chunks_exact(2_000).take(8);
    let found = pieces.filter(|piece| proof::correlation(&heard, piece).0 > 0.9).count();
    (found >= 4).then_some(())
}
