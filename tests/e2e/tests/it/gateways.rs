//! The gateways of `deploy/site/gateways`, each played by SIPp with what it does differently, against a box that has its
//! profile: what the caller at the phone sees of it.

use std::path::{Path, PathBuf};

use e2e::{company, stage};
use harness::company::{Branch, BranchPlan};
use harness::process::{Program, free_ports, wait_for};
use serde_json::{Value, json};

use crate::interop::sipp::{
    self, Script, answer, body_has, maybe, passed, proof as proved, reference, request, sdp, status,
};

use e2e::stage::PATIENCE;

/// A box with every gateway, and a carrier behind them all.
struct House {
    folder: tempfile::TempDir,
    branch: Branch,
    plan: BranchPlan,
    carrier: u16,
    phone: u16,
}

/// The trunks of a profile, at ports of this machine. They are not pinged: what SIPp gets is the call.
fn trunks(profile: &str) -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/site/gateways");
    let text = std::fs::read_to_string(root.join(format!("{profile}.json"))).expect("a profile");
    let changes: Vec<Value> = serde_json::from_str(&text).expect("changes");
    let puts = changes.into_iter().filter(|change| change["set"] == "trunk_put");
    puts.map(|mut change| {
        let id = change["trunk"].as_str().expect("an id").to_owned();
        let mut trunk = change["value"].take();
        let peer = format!("127.0.0.1:{}", free_ports(2));
        trunk["kind"] = json!({ "by": "address", "peer": peer, "transport": "udp" });
        trunk["carrier"]["health"]["every_s"] = json!(0);
        (id, trunk)
    })
    .collect()
}

impl House {
    fn start() -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
        let carrier = stage::carrier_port();
        let plan = company::direct("branch-a", carrier).expect("a plan");
        let branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
        House { folder, branch, plan, carrier, phone: free_ports(2) }
    }

    /// Calls leave by this profile's trunks, and by the carrier when they do not take them. Returns their ports.
    fn install(&mut self, profile: &str) -> Vec<u16> {
        let trunks = trunks(profile);
        let before = self.activations();
        let config = &mut self.plan.config;
        let mut members = Vec::new();
        for (id, trunk) in &trunks {
            config["trunks"][id] = trunk.clone();
            members.push(json!({ "trunk": id, "order": 0, "weight": 10 }));
        }
        let group = json!({ "label": profile, "members": members });
        config["site"]["dialling"] = json!({ "country": "86", "groups": { "gateway": group }, "outward": "gateway" });
        let file: PathBuf = self.folder.path().join("site.json");
        std::fs::write(&file, config.to_string()).expect("written");
        self.branch.command(&["site", "import", file.to_str().expect("UTF-8")], None).expect("imported");
        wait_for("the configuration", PATIENCE, || (self.activations() > before).then_some(())).expect("in force");
        let port = |trunk: &Value| trunk["kind"]["peer"].as_str()?.rsplit(':').next()?.parse().ok();
        trunks.iter().map(|(_, trunk)| port(trunk).expect("a port")).collect()
    }

    fn activations(&self) -> usize {
        let facts = self.branch.command(&["ledger", "facts", "--last", "500"], None).expect("facts");
        facts.matches("config_activated").count()
    }

    /// Somebody who takes calls at `port`, and does so as these steps say.
    fn gateway(&self, name: &str, port: u16, steps: String) -> Program {
        let program =
            sipp::start(self.folder.path(), &Script { name, steps, to: None, port, service: "x" }).expect("SIPp");
        // It listens when its port is taken.
        let listens = || std::net::UdpSocket::bind(("127.0.0.1", port)).is_err().then_some(());
        wait_for("SIPp's port", PATIENCE, listens).expect("SIPp listens");
        program
    }

    /// The phone 102 calls out, and sees these steps after its proof.
    fn caller(&self, name: &str, steps: &str) {
        let offer = sdp("sendrecv");
        let proof = proved("102");
        let steps = [
            self.say(1, "INVITE", "", &offer) + &maybe(100) + &status(401, "") + &self.say(1, "ACK", "", ""),
            // Every call out has a voice from its beginning: ring-back or the gateway's own sound.
            self.say(2, "INVITE", &proof, &offer)
                + &maybe(100)
                + &status(183, &body_has("m=audio", "early"))
                + &maybe(180),
            steps.to_owned() + &reference("early"),
        ];
        let to = Some(self.branch.sip.as_str());
        let script = Script { name, steps: steps.concat(), to, port: self.phone, service: "01012345678" };
        let mut phone = sipp::start(self.folder.path(), &script).expect("SIPp");
        passed(self.folder.path(), &mut phone).unwrap_or_else(|error| panic!("{error:#}\n{}", self.branch.tail()));
    }

    fn say(&self, cseq: u32, method: &str, more: &str, body: &str) -> String {
        request("102", &self.branch.domain, (cseq, method), more, body)
    }

    fn hangs_up(&self) -> String {
        self.say(2, "ACK", "", "") + "<pause milliseconds=\"200\"/>\n" + &self.say(3, "BYE", "", "") + &status(200, "")
    }

    fn refused(&self, with: u16) -> String {
        status(with, "") + &self.say(2, "ACK", "", "")
    }

    fn done(&self, mut gateway: Program) {
        passed(self.folder.path(), &mut gateway).unwrap_or_else(|error| panic!("{error:#}\n{}", self.branch.tail()));
    }
}

const CONTACT: &str = "Contact: <sip:gw@[local_ip]:[local_port]>\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS\n";

fn invited() -> String {
    let keep = |header: &str, name: &str| {
        format!("<ereg regexp=\".*\" search_in=\"hdr\" header=\"{header}:\" assign_to=\"{name}\"/>")
    };
    let kept = [keep("Via", "via"), keep("From", "from"), keep("To", "to"), keep("CSeq", "cseq")].concat();
    let target = "<ereg regexp=\"sip:[^>]*\" search_in=\"hdr\" header=\"Contact:\" assign_to=\"target\"/>";
    format!("<recv request=\"INVITE\"><action>{kept}{target}</action></recv>\n")
}

fn reply(line: &str, more: &str, body: &str) -> String {
    let media = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
    format!(
        "<send><![CDATA[\n\nSIP/2.0 {line}\nVia:[$via]\nFrom:[$from]\nTo:[$to];tag=gw\n[last_Call-ID:]\nCSeq:[$cseq]\n\
         {CONTACT}{more}{media}Content-Length: [len]\n\n{body}]]></send>\n"
    )
}

/// Within the call, from the gateway's side.
fn within(cseq: u32, method: &str, more: &str, body: &str) -> String {
    let media = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
    let retrans = if method == "ACK" { "" } else { " retrans=\"500\"" };
    format!(
        "<send{retrans}><![CDATA[\n\n{method} [$target] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];\
         branch=[branch]\nMax-Forwards: 70\nFrom:[$to];tag=gw\nTo:[$from]\n[last_Call-ID:]\nCSeq: {cseq} {method}\n\
         {CONTACT}{more}{media}Content-Length: [len]\n\n{body}]]></send>\n"
    )
}

fn ended() -> String {
    "<recv request=\"ACK\"/>\n<recv request=\"BYE\"/>\n".to_owned() + &answer("200 OK", "") + &known()
}

/// SIPp wants a word about every variable.
fn known() -> String {
    reference("via,from,to,cseq,target")
}

#[test]
fn each_documented_gateway_does_what_it_does_and_the_caller_sees_what_the_profile_says() {
    let mut house = House::start();
    let talk = sdp("sendrecv");
    // A gateway looks for a line before it says that there is none.
    let looks = || invited() + "<pause milliseconds=\"200\"/>\n";
    let refusal = |line: &str, more: &str| looks() + &reply(line, more, "") + "<recv request=\"ACK\"/>\n" + &known();
    // A line that is taken and dialled takes its time.
    let dials = invited() + "<pause milliseconds=\"300\"/>\n";
    let takes = dials.clone() + &reply("200 OK", "", &talk) + &ended();

    // FXO: it answers when it has dialled; nobody ever rang.
    let ports = house.install("audiocodes-mp1xx");
    let gateway = house.gateway("mp1xx", ports[0], takes.clone());
    house.caller("phone-mp1xx", &(status(200, "") + &house.hangs_up()));
    house.done(gateway);

    // FXO: dial tone and digits before the answer, and the answer at once; the profile lets them through.
    let ports = house.install("grandstream-ht");
    let early = dials + &reply("183 Session Progress", "", &talk) + &reply("200 OK", "", &talk) + &ended();
    let gateway = house.gateway("ht", ports[0], early);
    house.caller("phone-ht", &(status(200, "") + &house.hangs_up()));
    house.done(gateway);

    // FXO with every line taken: 486, by some firmware. It is the called party's, so nobody else is tried.
    let ports = house.install("grandstream-gxw");
    let gateway = house.gateway("gxw", ports[0], refusal("486 Busy Here", ""));
    house.caller("phone-gxw", &house.refused(486));
    house.done(gateway);

    // PRI: progress with audio, without leave and without 100rel, and silence behind it.
    let ports = house.install("cisco-isr");
    let early = invited() + &reply("183 Session Progress", "", &talk) + "<pause milliseconds=\"300\"/>\n";
    let gateway = house.gateway("isr", ports[0], early + &reply("200 OK", "", &talk) + &ended());
    house.caller("phone-isr", &(status(200, "") + &house.hangs_up()));
    house.done(gateway);

    // GSM: a SIM without credit speaks, then says 403; no other SIM is tried, and the caller hears why.
    let ports = house.install("dinstar");
    let speaks = invited() + &reply("183 Session Progress", "", &talk) + "<pause milliseconds=\"300\"/>\n";
    let speaks = speaks + &reply("403 Forbidden", "", "") + "<recv request=\"ACK\"/>\n" + &known();
    let mut groups = [house.gateway("gsm-1", ports[0], speaks.clone()), house.gateway("gsm-2", ports[1], speaks)];
    house.caller("phone-gsm", &house.refused(403));
    let taken = groups.iter().filter(|one| house.called(&one.name)).count();
    assert_eq!(taken, 1, "one SIM was tried");
    groups.iter_mut().for_each(Program::stop);

    // E1 with no free channel: cause 34 is the trunk's own, and the next trunk takes the call.
    let ports = house.install("audiocodes-mediant");
    let busy = refusal("503 Service Unavailable", "Reason: Q.850;cause=34;text=\"no circuit\"\n");
    let gateway = house.gateway("mediant", ports[0], busy);
    let carrier = house.gateway("carrier", house.carrier, takes);
    house.caller("phone-mediant", &(status(200, "") + &house.hangs_up()));
    house.done(gateway);
    house.done(carrier);

    // An exchange that moves its media after the answer, and says why it hangs up.
    let ports = house.install("asterisk");
    let moves = [
        invited() + &reply("180 Ringing", "", "") + &reply("200 OK", "", &talk) + "<recv request=\"ACK\"/>\n",
        within(1, "INVITE", "", &talk) + &maybe(100) + &status(200, &body_has("m=audio", "moved")),
        within(1, "ACK", "", "") + "<pause milliseconds=\"200\"/>\n",
        within(2, "BYE", "Reason: Q.850;cause=16\n", "") + &status(200, "") + &known() + &reference("moved"),
    ];
    let gateway = house.gateway("asterisk", ports[0], moves.concat());
    let ends = house.say(2, "ACK", "", "") + "<recv request=\"BYE\"/>\n" + &answer("200 OK", "");
    house.caller("phone-asterisk", &(status(200, "") + &ends));
    house.done(gateway);
    let released = house.branch.command(&["ledger", "facts", "--last", "50"], None).expect("facts");
    assert!(released.contains("\"fact\":\"released\"") && released.contains("16"), "{released}");
}

impl House {
    /// Whether a SIPp of this name heard an INVITE.
    fn called(&self, name: &str) -> bool {
        let files = std::fs::read_dir(self.folder.path().join(name)).into_iter().flatten().flatten();
        let mut logs = files.filter(|file| file.file_name().to_string_lossy().ends_with("_messages.log"));
        logs.any(|log| std::fs::read_to_string(log.path()).is_ok_and(|text| text.contains("INVITE sip:")))
    }
}
