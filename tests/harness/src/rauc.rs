//! A box's firmware side without hardware: D-Bus, RAUC, slots, a boot chooser in a shell script, and "reboots".

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use crate::process::ours;

const PATIENCE: Duration = Duration::from_secs(60);
const SLOT_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Clone, Copy)]
pub enum Signer {
    Release,
    Rogue,
}

pub struct Rig {
    folder: tempfile::TempDir,
    bus: Child,
    address: String,
    rauc: Option<Child>,
    boots: u32,
    bundle: PathBuf,
    health: PathBuf,
    patience_s: u32,
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(mut rauc) = self.rauc.take() {
            end(&mut rauc);
        }
        end(&mut self.bus);
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn sh(folder: &Path, script: &str) {
    let output = Command::new("bash").args(["-euc", script]).current_dir(folder).output().expect("bash runs");
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
}

impl Rig {
    /// With a health file that the test writes.
    pub fn new(name: &str) -> Self {
        Self::start(name, None)
    }

    /// With the health file of a real box.
    pub fn of_box(name: &str, health: &Path) -> Self {
        Self::start(name, Some(health.into()))
    }

    fn start(name: &str, health: Option<PathBuf>) -> Self {
        let folder = tempfile::Builder::new().prefix(&format!("otad-{name}-")).tempdir().expect("a folder");
        let path = folder.path().to_owned();
        make_keys(&path);
        for slot in ["a", "b"] {
            let image = fs::File::create(path.join(format!("slot-{slot}.img"))).expect("an image file");
            image.set_len(SLOT_BYTES).expect("a sparse image");
        }
        for folder in ["spool", "mnt", "boot", "made"] {
            fs::create_dir(path.join(folder)).expect("a folder");
        }
        fs::write(path.join("boot/primary"), "A").expect("boot state");
        write_backend(&path);
        write_rauc_conf(&path);
        let (bus, address) = start_bus(&path);
        // A real box takes its time to prove itself.
        let patience_s = if health.is_some() { 60 } else { 4 };
        let health = health.unwrap_or_else(|| path.join("health.json"));
        let mut rig = Self { folder, bus, address, rauc: None, boots: 0, bundle: PathBuf::new(), health, patience_s };
        rig.boot("1.0.0");
        rig
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where the agent looks for bundles.
    pub fn spool(&self) -> PathBuf {
        self.path().join("spool")
    }

    /// What the agent remembers.
    pub fn state_file(&self) -> PathBuf {
        self.path().join("ota.json")
    }

    /// Starts the RAUC service as if the machine had booted the primary slot.
    fn boot(&mut self, version: &str) {
        if let Some(mut old) = self.rauc.take() {
            end(&mut old);
        }
        self.boots += 1;
        let _ = fs::remove_file(self.path().join("reboot"));
        fs::write(self.path().join("boot_id"), format!("boot-{}", self.boots)).expect("boot id");
        let config = format!(
            "version = \"{version}\"\nspool = \"spool\"\nhealth = \"{}\"\nstate = \"ota.json\"\n\
             bus = \"{}\"\nreboot = [\"touch\", \"{}\"]\nboot_id = \"boot_id\"\nsteady_s = 2\npatience_s = {}\n",
            self.health.display(),
            self.address,
            self.path().join("reboot").display(),
            self.patience_s
        );
        fs::write(self.path().join("otad.toml"), config).expect("config");
        let log = fs::File::create(self.path().join(format!("rauc-{}.log", self.boots))).expect("log");
        let rauc = Command::new("rauc")
            .arg("-c")
            .arg(self.path().join("system.conf"))
            .arg("service")
            .arg(format!("--override-boot-slot={}", self.primary()))
            .env("DBUS_STARTER_BUS_TYPE", "session")
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("rauc is installed");
        self.rauc = Some(rauc);
        let address = self.address.clone();
        wait("RAUC is on the bus", || {
            Command::new("dbus-send")
                .args([&format!("--bus={address}"), "--print-reply", "--dest=de.pengutronix.rauc", "/"])
                .arg("org.freedesktop.DBus.Peer.Ping")
                .output()
                .is_ok_and(|output| output.status.success())
                .then_some(())
        });
    }

    /// Makes and signs a bundle, and puts it into the spool with its offer.
    pub fn offer(&mut self, version: &str, signer: Signer, compatible: &str) {
        let made = self.make(version, signer, compatible);
        self.bundle = self.spool().join(made.file_name().expect("named"));
        fs::rename(made, &self.bundle).expect("the spool");
        self.write_offer(version);
    }

    /// Makes and signs a bundle outside the spool.
    pub fn make(&self, version: &str, signer: Signer, compatible: &str) -> PathBuf {
        let key = match signer {
            Signer::Release => "release",
            Signer::Rogue => "rogue",
        };
        sh(
            self.path(),
            &format!(
                "mkdir -p content root; echo -n {version} > root/version; rm -f content/rootfs.ext4\n\
                 mke2fs -q -t ext4 -d root content/rootfs.ext4 8M\n\
                 printf '[update]\\ncompatible={compatible}\\nversion={version}\\n[bundle]\\nformat=plain\\n\
                 [image.rootfs]\\nfilename=rootfs.ext4\\n' > content/manifest.raucm\n\
                 rauc -c system.conf --cert={key}.pem --key={key}.key --keyring={key}-ca.pem \
                 bundle content made/box-{version}.raucb"
            ),
        );
        self.path().join(format!("made/box-{version}.raucb"))
    }

    fn write_offer(&self, version: &str) {
        let name = self.bundle.file_name().expect("named").to_string_lossy().into_owned();
        let size = fs::metadata(&self.bundle).expect("bundle").len();
        let offer = serde_json::json!({
            "name": name, "version": version, "size": size, "sha256": digest(&self.bundle),
        });
        fs::write(self.path().join(format!("spool/{name}.json")), offer.to_string()).expect("offer");
    }

    /// Cut before the offer was made: the digest agrees, RAUC must notice.
    pub fn truncate_bundle(&mut self) {
        let half = fs::metadata(&self.bundle).expect("bundle").len() / 2;
        fs::OpenOptions::new().write(true).open(&self.bundle).expect("bundle").set_len(half).expect("cut");
        self.write_offer("1.1.0");
    }

    /// Changed after the offer was made.
    pub fn flip_bundle(&mut self) {
        let mut bytes = fs::read(&self.bundle).expect("bundle");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&self.bundle, bytes).expect("bundle");
    }

    pub fn healthy(&self, good: bool, calls: u32) {
        // Written ahead of time, so that a slow machine does not make it old.
        let at = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() + 3600;
        let health = serde_json::json!({ "at": at, "calls": calls, "checks": { "config": true, "audio": good } });
        fs::write(self.path().join("health.json"), health.to_string()).expect("health");
    }

    pub fn start_agent(&self) -> Child {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path().join("otad.log")).expect("log");
        Command::new(ours("otad").expect("otad is built"))
            .arg("run")
            .arg("--config")
            .arg(self.path().join("otad.toml"))
            .stderr(log)
            .spawn()
            .expect("otad starts")
    }

    pub fn wait_for_reboot(&self, mut agent: Child) {
        let marker = self.path().join("reboot");
        self.wait(|| marker.exists().then_some(()), "the agent asks for a reboot");
        let status = agent.wait().expect("the agent ends after asking");
        assert!(status.success(), "{}", self.log());
    }

    /// The machine comes up again from the primary slot.
    pub fn reboot(&mut self, version: &str) -> Child {
        self.boot(version);
        self.start_agent()
    }

    pub fn wait_for_outcome(&self, outcome: &str) -> Value {
        let wanted = |state: &Value| state["last"]["outcome"] == outcome;
        self.wait(|| self.state().filter(wanted), &format!("outcome {outcome}"))
    }

    pub fn wait_for_update_state(&self, update: &str) {
        self.wait(|| self.state().filter(|state| state["update"]["state"] == update), &format!("state {update}"));
    }

    /// Lets the agent look at the health file a few times; it must still be there and must not have rebooted.
    pub fn let_rounds_pass(&self, agent: &mut Child, rounds: u32) {
        let until = Instant::now() + Duration::from_secs(1) * rounds;
        wait("rounds", || (Instant::now() >= until).then_some(()));
        assert!(agent.try_wait().expect("agent").is_none(), "the agent rebooted over a live call");
    }

    fn state(&self) -> Option<Value> {
        serde_json::from_slice(&fs::read(self.path().join("ota.json")).ok()?).ok()
    }

    pub fn stop(&self, mut agent: Child) {
        end(&mut agent);
    }

    pub fn primary(&self) -> String {
        fs::read_to_string(self.path().join("boot/primary")).expect("boot state").trim().to_owned()
    }

    pub fn boot_state(&self, slot: &str) -> String {
        fs::read_to_string(self.path().join(format!("boot/state-{slot}"))).unwrap_or_default().trim().to_owned()
    }

    /// The file `version` inside a slot's file system.
    pub fn slot_text(&self, slot: &str) -> String {
        let image = self.path().join(format!("slot-{slot}.img"));
        let output = Command::new("debugfs").args(["-R", "cat /version"]).arg(image).output().expect("debugfs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub fn slot_digest(&self, slot: &str) -> String {
        digest(&self.path().join(format!("slot-{slot}.img")))
    }

    fn wait<T>(&self, look: impl FnMut() -> Option<T>, what: &str) -> T {
        try_wait(look).unwrap_or_else(|| panic!("{what} did not come about:\n{}", self.log()))
    }

    fn log(&self) -> String {
        let agent = fs::read_to_string(self.path().join("otad.log")).unwrap_or_default();
        let rauc = fs::read_to_string(self.path().join(format!("rauc-{}.log", self.boots))).unwrap_or_default();
        format!("{agent}\n--- rauc\n{rauc}")
    }
}

fn try_wait<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

fn wait<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    try_wait(look).unwrap_or_else(|| panic!("{what}: not within {PATIENCE:?}"))
}

fn digest(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().expect("sha256sum");
    String::from_utf8_lossy(&output.stdout).split_whitespace().next().expect("a digest").to_owned()
}

/// Two authorities: ours, and one nobody here trusts. RAUC wants a code-signing leaf when it checks that purpose.
fn make_keys(folder: &Path) {
    for name in ["release", "rogue"] {
        sh(
            folder,
            &format!(
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}-ca.key \
                 -out {name}-ca.pem -subj /CN={name}-ca -days 30 -addext basicConstraints=critical,CA:TRUE \
                 -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null\n\
                 openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr \
                 -subj /CN={name}-1 2>/dev/null\n\
                 printf 'basicConstraints=CA:FALSE\\nkeyUsage=critical,digitalSignature\\n\
                 extendedKeyUsage=codeSigning\\n' > {name}.ext\n\
                 openssl x509 -req -in {name}.csr -CA {name}-ca.pem -CAkey {name}-ca.key -CAcreateserial -days 30 \
                 -extfile {name}.ext -out {name}.pem 2>/dev/null"
            ),
        );
    }
}

fn write_rauc_conf(folder: &Path) {
    let at = folder.display();
    let conf = format!(
        "[system]\ncompatible=branchline-test-box\nbootloader=custom\nstatusfile={at}/status.raucs\n\
         mountprefix={at}/mnt\n[keyring]\npath={at}/release-ca.pem\ncheck-purpose=codesign\n\
         [handlers]\nbootloader-custom-backend={at}/backend\n\
         [slot.rootfs.0]\ndevice={at}/slot-a.img\ntype=ext4\nbootname=A\n\
         [slot.rootfs.1]\ndevice={at}/slot-b.img\ntype=ext4\nbootname=B\n"
    );
    fs::write(folder.join("system.conf"), conf).expect("system.conf");
}

/// A boot chooser of two small files.
fn write_backend(folder: &Path) {
    let at = folder.join("boot");
    let script = format!(
        "#!/bin/sh\nset -e\ncd {}\ncase \"$1\" in\n\
         get-primary) cat primary ;;\n\
         set-primary) printf %s \"$2\" > new; mv new primary ;;\n\
         get-state) cat state-\"$2\" 2>/dev/null || printf good ;;\n\
         set-state) printf %s \"$3\" > new; mv new state-\"$2\" ;;\n\
         *) exit 1 ;;\nesac\n",
        at.display()
    );
    let path = folder.join("backend");
    fs::write(&path, script).expect("backend");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
}

fn start_bus(folder: &Path) -> (Child, String) {
    let config = folder.join("bus.conf");
    fs::write(
        &config,
        format!(
            "<busconfig><type>custom</type><listen>unix:path={}/bus.sock</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            folder.display()
        ),
    )
    .expect("bus.conf");
    let bus = Command::new("dbus-daemon")
        .arg(format!("--config-file={}", config.display()))
        .arg("--nofork")
        .spawn()
        .expect("dbus-daemon is installed");
    let socket = folder.join("bus.sock");
    wait("the bus listens", || socket.exists().then_some(()));
    (bus, format!("unix:path={}", socket.display()))
}
