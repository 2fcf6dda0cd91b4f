//! Phones that fetch their configuration: enrolled on the box, told where, and registered with what they fetched. The
//! HTTPS client is curl, the phone that uses the account is baresip.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use e2e::stage::{self, PATIENCE};
use harness::{
    baresip::{Account, Phone},
    company::{Branch, BranchPlan, PHONE_PASSWORD},
    process::{free_ports, wait_for},
    proof,
};

use crate::interop::sipp::{self, Script, answer, passed, proof as proved, status};

const AGENT: &str = "Yealink SIP-T46U 108.86.0.45 00:15:65:ab:cd:ef";

/// What came back: status, head, body.
struct Answer {
    status: String,
    head: String,
    body: String,
}

/// As a phone that knows the box's CA asks.
fn fetch(ca: &Path, url: &str, agent: &str) -> Answer {
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "20", "-i", "-A", agent, "--cacert"]).arg(ca).arg(url);
    let output = command.output().expect("curl");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let why = || format!("{url}: {}", String::from_utf8_lossy(&output.stderr));
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{}", why()));
    let status = head.split(' ').nth(1).expect("a status").to_owned();
    // The date may turn between two that must be the same.
    let head = head.lines().filter(|line| !line.to_lowercase().starts_with("date:")).collect::<Vec<_>>().join("\n");
    Answer { status, head, body: body.to_owned() }
}

/// What a phone makes of its file: user, password, server, port, transport.
#[derive(Debug)]
struct Fetched {
    user: String,
    password: String,
    server: String,
    transport: &'static str,
}

fn between<'a>(text: &'a str, begins: &str, ends: &str) -> &'a str {
    let rest = text.split_once(begins).unwrap_or_else(|| panic!("no {begins} in {text}")).1;
    rest.split_once(ends).unwrap_or_else(|| panic!("no {ends} after {begins}")).0
}

fn read(make: &str, text: &str) -> Fetched {
    let transport = |name: &str, tls: &str| {
        assert_eq!(name, tls, "the best that the box listens on");
        "tls"
    };
    match make {
        "yealink" => {
            let lines: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(" = ")).collect();
            let of = |key: &str| lines[format!("account.1.{key}").as_str()].to_owned();
            let server = format!("{}:{}", of("sip_server.1.address"), of("sip_server.1.port"));
            let transport = transport(&of("sip_server.1.transport_type"), "2");
            Fetched { user: of("user_name"), password: of("password"), server, transport }
        }
        "grandstream" => {
            let of = |number: u32| between(text, &format!("<P{number}>"), "<").to_owned();
            Fetched { user: of(35), password: of(34), server: of(47), transport: transport(&of(130), "2") }
        }
        "poly" => {
            let of = |key: &str| between(text, &format!(" reg.1.{key}=\""), "\"").to_owned();
            let server = format!("{}:{}", of("server.1.address"), of("server.1.port"));
            let transport = transport(&of("server.1.transport"), "TLS");
            Fetched { user: of("address"), password: of("auth.password"), server, transport }
        }
        _ => {
            let of = |key: &str| between(text, &format!("<user_{key} idx=\"1\" perm=\"\">"), "<").to_owned();
            let outbound = of("outbound");
            let (server, transport_named) = outbound.split_once(";transport=").expect("a transport");
            let server = server.trim_start_matches("sip:").to_owned();
            Fetched { user: of("name"), password: of("pass"), server, transport: transport(transport_named, "tls") }
        }
    }
}

struct House {
    branch: Branch,
    folder: tempfile::TempDir,
    ca: std::path::PathBuf,
}

impl House {
    fn start() -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
        let plan = BranchPlan::example("branch-a", stage::carrier_port()).expect("a plan");
        let branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
        let ca = folder.path().join("ca.pem");
        branch.command(&["tls", "--ca-out", ca.to_str().expect("UTF-8")], None).expect("the CA");
        House { branch, folder, ca }
    }

    fn boxd(&self, arguments: &[&str]) -> String {
        self.branch.command(arguments, None).expect("done").trim().to_owned()
    }

    fn fetch(&self, url: &str) -> Answer {
        fetch(&self.ca, url, AGENT)
    }

    /// A baresip with what was fetched.
    fn phone(&self, name: &str, fetched: &Fetched) -> Phone {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let microphone = folder.join("microphone.wav");
        proof::speak("hello from a phone that set itself up", 60, &microphone).expect("a voice");
        let account = Account::Phone {
            user: &fetched.user,
            password: &fetched.password,
            domain: &self.branch.domain,
            registrar: &fetched.server,
            transport: fetched.transport,
        };
        Phone::start(&folder.join("phone"), &account, &microphone, true).expect("a phone")
    }

    fn registers(&self, name: &str, fetched: &Fetched) -> Phone {
        let phone = self.phone(name, fetched);
        logged(&phone, "200 OK (");
        phone
    }

    fn facts(&self) -> String {
        self.boxd(&["ledger", "facts", "--last", "500"])
    }
}

/// The event may come before its control port can be read; the log has it.
fn logged(phone: &Phone, what: &str) {
    let log = phone.folder.join("baresip.log");
    let seen = || std::fs::read_to_string(&log).ok()?.contains(what).then_some(());
    wait_for(what, PATIENCE, seen).unwrap_or_else(|error| {
        panic!("{error:#}: {}", std::fs::read_to_string(&log).unwrap_or_default());
    });
}

#[test]
fn a_phone_of_each_make_fetches_its_account_registers_and_calls() {
    let house = House::start();
    let mac = "001565abcdef";
    let files = [
        ("yealink", format!("{mac}.cfg"), "text/plain; charset=utf-8"),
        ("grandstream", format!("cfg{mac}.xml"), "application/xml"),
        ("poly", format!("{mac}-branchline.cfg"), "application/xml"),
        ("snom", "snomD785-001565ABCDEF.htm".to_owned(), "application/xml"),
    ];
    let mut last = None;
    for (make, file, kind) in files {
        let url = house.boxd(&["phone", "enrol", "101", "--mac", "00:15:65:ab:cd:ef", "--make", make, "--lamp", "102"]);
        assert!(url.starts_with(&house.branch.provision), "{url}");
        let answer = house.fetch(&format!("{url}{file}"));
        assert_eq!(answer.status, "200", "{make}: {}", answer.head);
        assert!(answer.head.contains(&format!("content-type: {kind}")), "{make}: {}", answer.head);
        assert!(answer.body.contains(&url[8..url.len() - 1]), "{make} learns where to fetch again: {}", answer.body);
        let fetched = read(make, &answer.body);
        assert_ne!(fetched.password, PHONE_PASSWORD);
        last = Some((house.registers(make, &fetched), fetched, format!("{url}{file}")));
    }
    let (mut phone, fetched, url) = last.expect("a phone");
    assert!(house.fetch(&url.replace("snomD785-", "snomD785-x")).status == "404");

    // A call of the last to a phone that was set up by hand.
    let by_hand = Fetched {
        user: "102".into(),
        password: PHONE_PASSWORD.into(),
        server: house.branch.sip.clone(),
        transport: "udp",
    };
    let mut colleague = house.registers("colleague", &by_hand);
    phone.dial(&format!("sip:102@{}", house.branch.domain)).expect("dialled");
    colleague.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the colleague's phone answers");
    phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the call stands");
    phone.hang_up().expect("hung up");
    phone.stop();

    // It fetches again and has another password; the one before is worth nothing.
    wait_for("another fetch", PATIENCE, || (house.fetch(&url).status == "200").then_some(())).expect("fetched");
    let old = house.phone("old", &fetched);
    logged(&old, "401");
    let listed = house.boxd(&["phone", "list"]);
    assert!(listed.contains("101  snom 001565abcdef  SIP-T46U 108.86.0.45, fetched 20"), "{listed}");

    // What is written down of it holds no secret.
    let facts = house.facts();
    assert_eq!(facts.matches("phone_provisioned").count(), 5, "{facts}");
    assert!(!facts.contains(&fetched.password) && !facts.contains(mac), "{facts}");
    assert!(!house.branch.log().contains(&fetched.password));
    house.boxd(&["phone", "dismiss", "101"]);
    assert_eq!(house.fetch(&url).status, "404");
}

#[test]
fn who_has_no_right_to_a_configuration_learns_nothing_and_who_guesses_waits() {
    let house = House::start();
    let base = house.branch.provision.clone();
    let enrol = |phone: &str, mac: &str, more: &[&str]| {
        house.boxd(&[&["phone", "enrol", phone, "--mac", mac, "--make", "yealink"], more].concat())
    };
    let url = enrol("101", "001565abcdef", &[]);

    // In clear nobody is answered.
    let clear = Command::new("curl").args(["-sS", "--max-time", "5", &base.replace("https", "http")]).output();
    assert!(!clear.expect("curl").status.success());

    // An unknown device, a known one without its token, a wrong token: one and the same answer.
    let wrong = format!("{base}abcdefghjkmnpqrstuv2/001565abcdef.cfg");
    let tries = [format!("{base}0015650000ff.cfg"), format!("{base}001565abcdef.cfg"), wrong];
    let answers: Vec<Answer> = tries.iter().map(|url| house.fetch(url)).collect();
    for answer in &answers {
        assert_eq!((answer.status.as_str(), answer.body.as_str()), ("404", ""));
        assert_eq!(answer.head, answers[0].head);
    }
    // Its token opens its own files alone.
    assert_eq!(house.fetch(&format!("{url}0015650000ff.cfg")).status, "404");
    assert_eq!(house.fetch(&format!("{url}cfg001565abcdef.xml")).status, "404");
    assert_eq!(house.fetch(&format!("{url}001565abcdef.boot")).status, "404");

    // A phone that DHCP sent here comes with its address alone, in its window, and is given its token; with that the
    // window is shut.
    enrol("102", "001565000102", &["--window-min", "10"]);
    let bare = format!("{base}001565000102.cfg");
    let first = house.fetch(&bare);
    assert_eq!(first.status, "200");
    let given = between(&first.body, "static.auto_provision.server.url = ", "\n").to_owned();
    let again = wait_for("the fetch by token", PATIENCE, || {
        let answer = house.fetch(&format!("{given}001565000102.cfg"));
        (answer.status == "200").then_some(answer)
    });
    again.expect("fetched");
    assert_eq!(house.fetch(&bare).status, "404");

    // Guessing ends; a phone with its token is served all the same.
    for guess in 0..40 {
        assert_eq!(house.fetch(&format!("{base}0015651000{guess:02}.cfg")).status, "404");
    }
    enrol("103", "001565000103", &["--window-min", "10"]);
    assert_eq!(house.fetch(&format!("{base}001565000103.cfg")).status, "404", "not from an address that guesses");
    assert_eq!(house.fetch(&format!("{url}001565abcdef.cfg")).status, "200");
    assert!(house.facts().contains("phone_fetches_refused"));
}

/// What an integrator pastes is what the server reads.
#[test]
fn dnsmasq_takes_the_lines_that_send_phones_to_the_box() {
    let house = House::start();
    let lines = house.boxd(&["phone", "dhcp", "--server", "dnsmasq"]);
    assert!(lines.contains(&format!("66,\"{}\"", house.branch.provision)), "{lines}");
    let file = house.folder.path().join("phones.conf");
    std::fs::write(&file, lines).expect("written");
    // On a Debian machine it lies where only root's path leads.
    let program = if Path::new("/usr/sbin/dnsmasq").exists() { "/usr/sbin/dnsmasq" } else { "dnsmasq" };
    let checked = Command::new(program).arg("--test").arg("-C").arg(&file).output().expect("dnsmasq");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn a_phone_is_told_to_fetch_again_when_its_password_is_to_change() {
    let house = House::start();
    house.boxd(&["phone", "enrol", "102", "--mac", "001565000102", "--make", "yealink"]);
    let domain = house.branch.domain.as_str();
    let register = |cseq: u32, more: &str| {
        format!(
            "<send retrans=\"500\"><![CDATA[\n\nREGISTER sip:{domain} SIP/2.0\n\
             Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nMax-Forwards: 70\n\
             From: <sip:102@{domain}>;tag=[pid]x[call_number]\nTo: <sip:102@{domain}>\nCall-ID: [call_id]\n\
             CSeq: {cseq} REGISTER\nContact: <sip:102@[local_ip]:[local_port]>\nExpires: 600\n{more}Content-Length: 0\n\n\
             ]]></send>\n"
        )
    };
    let event = "<recv request=\"NOTIFY\"><action><ereg regexp=\"check-sync\" search_in=\"hdr\" header=\"Event:\" \
                 check_it=\"true\" assign_to=\"event\"/></action></recv>\n";
    let steps = register(1, "") + &status(401, "") + &register(2, &proved("102")) + &status(200, "");
    let (to, folder, port) = (Some(house.branch.sip.as_str()), house.folder.path(), free_ports(2));
    let script = Script { name: "phone", steps, to, port, service: "102" };
    passed(folder, &mut sipp::start(folder, &script).expect("SIPp")).expect("registered");
    // The same phone, from here on as one that is spoken to.
    let steps = event.to_owned() + &answer("200 OK", "") + &sipp::reference("event");
    let script = Script { name: "told", steps, to: None, port, service: "102" };
    let mut phone = sipp::start(folder, &script).expect("SIPp");
    let listens = || std::net::UdpSocket::bind(("127.0.0.1", port)).is_err().then_some(());
    wait_for("SIPp's port", PATIENCE, listens).expect("SIPp listens");
    house.boxd(&["phone", "rotate", "102"]);
    passed(folder, &mut phone).expect("the phone is told");
}
