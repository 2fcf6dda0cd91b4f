//! One cloud and its branches on loopback, each a set of real processes with configuration files as an integrator
//! would write them.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::browser;
use crate::process::{Program, free_ports, ours, wait_for};

const PATIENCE: Duration = Duration::from_secs(30);
pub const ADMIN: &str = "admin@example.org";
pub const ADMIN_PASSWORD: &str = "correct horse battery staple";
/// Passwords of every phone and every desk in the company; the people here are puppets.
pub const PHONE_PASSWORD: &str = "phone-secret-1";
pub const DESK_PASSWORD: &str = "desk-secret-1";

pub struct Cloud {
    pub folder: PathBuf,
    pub http: String,
    pub link: String,
    pub link_port: u16,
    config: PathBuf,
    program: Option<Program>,
}

impl Cloud {
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut cloud = Self::settled(folder, None)?;
        cloud.command(&["init", "--login", ADMIN, "--password-stdin"], Some(ADMIN_PASSWORD))?;
        cloud.launch()?;
        Ok(cloud)
    }

    /// On a database of PostgreSQL; the first of its instances.
    pub fn on(database: &str, folder: &Path) -> anyhow::Result<Self> {
        let mut cloud = Self::settled(folder, Some(database))?;
        cloud.command(&["init", "--login", ADMIN, "--password-stdin"], Some(ADMIN_PASSWORD))?;
        cloud.launch()?;
        Ok(cloud)
    }

    /// Another instance of the same cloud: on its database, with a copy of its certificate authority.
    pub fn beside(&self, database: &str, folder: &Path) -> anyhow::Result<Self> {
        let mut cloud = Self::settled(folder, Some(database))?;
        let data = folder.join("data");
        fs::create_dir_all(&data)?;
        let copied = Command::new("cp").arg("-a").arg(self.folder.join("data/ca")).arg(&data).status()?;
        ensure!(copied.success(), "the authority is not copied");
        cloud.launch()?;
        Ok(cloud)
    }

    /// Its files alone.
    fn settled(folder: &Path, database: Option<&str>) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let database = database.map(|url| format!("[database]\nurl = \"{url}\"\n")).unwrap_or_default();
        let (http, link) = (free_ports(2), free_ports(2));
        let config = folder.join("cloud.toml");
        fs::write(
            &config,
            format!(
                "data = \"data\"\n[http]\nlisten = \"127.0.0.1:{http}\"\n[link]\nlisten = \"127.0.0.1:{link}\"\n\
                 {database}[log]\nfilter = \"debug,tokio_postgres=info\"\n"
            ),
        )?;
        Ok(Self {
            folder: folder.into(),
            http: format!("http://127.0.0.1:{http}"),
            link: format!("127.0.0.1:{link}"),
            link_port: link,
            config,
            program: None,
        })
    }

    /// Starts the process (again).
    pub fn launch(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(ours("cloudd")?);
        command.arg("run").arg("--config").arg(&self.config);
        let program = Program::start("cloudd", command, &self.folder.join("cloudd.log"))?;
        let port: u16 = self.http.rsplit(':').next().and_then(|port| port.parse().ok()).context("a port")?;
        self.program = Some(program);
        wait_for("the console's port", PATIENCE, || std::net::TcpStream::connect(("127.0.0.1", port)).ok())
            .with_context(|| self.tail())?;
        Ok(())
    }

    pub fn stop(&mut self) {
        self.program = None;
    }

    pub fn kill_hard(&mut self) {
        if let Some(program) = &self.program {
            crate::process::kill_hard(program.pid());
        }
        self.program = None;
    }

    pub fn tail(&self) -> String {
        self.program.as_ref().map(Program::tail).unwrap_or_default()
    }

    /// One of `cloudd`'s commands; what it printed.
    pub fn command(&self, args: &[&str], input: Option<&str>) -> anyhow::Result<String> {
        run(&ours("cloudd")?, args, &self.config, input)
    }

    pub fn add_site(&self, config: &Value) -> anyhow::Result<()> {
        let file = self.folder.join("site.json");
        fs::write(&file, config.to_string())?;
        self.command(&["site", "add", file.to_str().context("a UTF-8 path")?], None).map(drop)
    }

    /// An enrolment code for one box of the site.
    pub fn code(&self, site: &str) -> anyhow::Result<String> {
        let printed = self.command(&["enrol", site], None)?;
        printed
            .split_whitespace()
            .find(|word| word.contains('.') && word.len() > 40)
            .map(str::to_owned)
            .with_context(|| format!("no code in {printed:?}"))
    }
}

fn run(program: &Path, args: &[&str], config: &Path, input: Option<&str>) -> anyhow::Result<String> {
    let mut child = Command::new(program)
        .args(args)
        .arg("--config")
        .arg(config)
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{}", program.display()))?;
    if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
        // A command that refuses before it reads says why on its standard error.
        let _ = writeln!(stdin, "{text}");
    }
    let output = child.wait_with_output()?;
    ensure!(
        output.status.success(),
        "{} {}: {}{}",
        program.display(),
        args.join(" "),
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a test may change of a branch.
#[derive(Clone)]
pub struct BranchPlan {
    pub site: String,
    /// model::config::Config as JSON.
    pub config: Value,
    pub interval_s: u32,
    pub k_callers: u32,
    /// Agents with a phone, and whether they supervise.
    pub staff: Vec<(String, bool)>,
    /// Where the box finds the cloud, the first that answers, when not at its own address.
    pub cloud_at: Vec<String>,
    /// And where through the web, when no UDP passes.
    pub cloud_web: Vec<String>,
    /// Where bundles go, and what the update agent remembers.
    pub firmware: Option<(PathBuf, PathBuf)>,
    /// Trunks at which the box registers, and with which password.
    pub secrets: Vec<(String, String)>,
    /// The desk is served over HTTPS.
    pub desk_tls: bool,
    /// Further sections of `box.toml`.
    pub more: String,
    /// Where its lines stand, on loopback too.
    pub ip: String,
    /// A free port for SIP, and one more; None: any.
    pub sip_port: Option<u16>,
}

impl BranchPlan {
    /// The example branch of `deploy/site`, under another name, with the carrier at `carrier_port`.
    pub fn example(site: &str, carrier_port: u16) -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("the root")?;
        let text = fs::read_to_string(root.join("deploy/site/branch-a.json"))?;
        let mut config: Value = serde_json::from_str(&text)?;
        config["site"]["id"] = json!(site);
        config["site"]["label"] = json!(site);
        config["trunks"]["carrier"]["kind"]["peer"] = json!(format!("127.0.0.1:{carrier_port}"));
        let other = if site == "branch-a" { "branch-b" } else { "branch-a" };
        config["queues"]["sales"]["overflow"]["to"] = json!([other]);
        let staff = vec![("a-101".into(), true), ("a-102".into(), false)];
        Ok(Self {
            site: site.into(),
            config,
            interval_s: 60,
            k_callers: 3,
            staff,
            cloud_at: Vec::new(),
            cloud_web: Vec::new(),
            firmware: None,
            secrets: Vec::new(),
            desk_tls: false,
            more: String::new(),
            ip: "127.0.0.1".into(),
            sip_port: None,
        })
    }
}

/// A box's processes, in the order of their metrics' ports.
#[derive(Debug, Clone, Copy)]
pub enum Process {
    Calls,
    Media,
    Sync,
}

pub struct Branch {
    pub site: String,
    pub folder: PathBuf,
    pub sip: String,
    pub sip_port: u16,
    /// For browsers, in clear and protected by the box's own certificate.
    pub ws: String,
    pub wss: String,
    pub desk: String,
    metrics_port: u16,
    /// Where phones fetch their configuration: `https://127.0.0.1:PORT/`.
    pub provision: String,
    pub domain: String,
    pub config: PathBuf,
    program: Option<Program>,
}

impl Branch {
    /// Writes the files, sets the passwords, enrols (with a cloud) or imports the configuration (without), and runs.
    pub fn start(folder: &Path, plan: &BranchPlan, cloud: Option<&Cloud>, prompts: &Path) -> anyhow::Result<Self> {
        let mut branch = Self::written(folder, plan, cloud, prompts)?;
        branch.set_up(plan, cloud)?;
        branch.launch()?;
        Ok(branch)
    }

    /// A box as it comes out of its carton: `box.toml`, passwords, and no configuration. It runs, and its lines answer.
    pub fn bare(folder: &Path, plan: &BranchPlan, prompts: &Path) -> anyhow::Result<Self> {
        let mut branch = Self::written(folder, plan, None, prompts)?;
        branch.set_passwords(plan)?;
        branch.launch_ailing()?;
        Ok(branch)
    }

    /// Starts it (again), and waits for its lines alone.
    pub fn launch_ailing(&mut self) -> anyhow::Result<()> {
        self.run()?;
        wait_for("the lines answer", PATIENCE, || (self.health()?["checks"]["registrar"] == true).then_some(()))
            .with_context(|| self.tail())
    }

    /// Its file written anew, over data that is there already. It does not run.
    pub fn written_over(folder: &Path, plan: &BranchPlan, prompts: &Path) -> anyhow::Result<Self> {
        Self::written(folder, plan, None, prompts)
    }

    fn written(folder: &Path, plan: &BranchPlan, cloud: Option<&Cloud>, prompts: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let sip = plan.sip_port.unwrap_or_else(|| free_ports(2));
        let (ws, desk, ip) = (free_ports(2), free_ports(2), &plan.ip);
        let (metrics, rtp) = (free_ports(4), free_ports(60));
        let domain = format!("{}.example", plan.site);
        let mut text = format!(
            "site = \"{}\"\ndata = \"data\"\nrun = \"run\"\nprompts = \"{}\"\n[sip]\ndomain = \"{domain}\"\norigins = [\"{}\"]\n\
             networks = [\"127.0.0.1/32\"]\nlisten = [\"udp:{ip}:{sip}\", \"ws:{ip}:{ws}\", \"wss:{ip}:{}\", \
             \"tcp:{ip}:{sip}\", \"tls:{ip}:{}\"]\n[rtp]\nip = \"{ip}\"\n\
             ports = [{rtp}, {}]\n[desk]\nlisten = \"127.0.0.1:{desk}\"\ntls = {}\n[metrics]\nlisten = \"127.0.0.1:{metrics}\"\n",
            plan.site,
            prompts.display(),
            browser::ORIGIN,
            ws + 1,
            sip + 1,
            rtp + 58,
            plan.desk_tls
        );
        let provision = free_ports(2);
        text.push_str(&format!("[provision]\nlisten = \"127.0.0.1:{provision}\"\n"));
        if let Some(cloud) = cloud {
            let own = std::slice::from_ref(&cloud.link);
            let endpoints = if plan.cloud_at.is_empty() { own } else { &plan.cloud_at };
            text.push_str(&format!(
                "[cloud]\nendpoints = {}\nweb = {}\ninterval_s = {}\nk_callers = {}\nbundles = \"bundles\"\n",
                json!(endpoints),
                json!(plan.cloud_web),
                plan.interval_s,
                plan.k_callers
            ));
        }
        if let Some((spool, state)) = &plan.firmware {
            text = text.replace("bundles = \"bundles\"", &format!("bundles = \"{}\"", spool.display()));
            text.push_str(&format!("[firmware]\nstate = \"{}\"\n", state.display()));
        }
        text.push_str(&plan.more);
        let config = folder.join("box.toml");
        fs::write(&config, text)?;
        Ok(Self {
            site: plan.site.clone(),
            folder: folder.into(),
            sip: format!("{ip}:{sip}"),
            sip_port: sip,
            ws: format!("ws://{ip}:{ws}"),
            wss: format!("wss://{ip}:{}", ws + 1),
            desk: format!("{}://127.0.0.1:{desk}", if plan.desk_tls { "https" } else { "http" }),
            metrics_port: metrics,
            provision: format!("https://127.0.0.1:{provision}/"),
            domain,
            config,
            program: None,
        })
    }

    fn set_up(&self, plan: &BranchPlan, cloud: Option<&Cloud>) -> anyhow::Result<()> {
        self.set_passwords(plan)?;
        match cloud {
            Some(cloud) => {
                cloud.add_site(&plan.config)?;
                let code = cloud.code(&plan.site)?;
                self.command(&["enrol", "--code", &code], None).map(drop)
            }
            None => self.import(&plan.config),
        }
    }

    /// Writes a whole configuration into the documents of a box without a cloud.
    pub fn import(&self, config: &Value) -> anyhow::Result<()> {
        let file = self.folder.join("site.json");
        fs::write(&file, config.to_string())?;
        self.command(&["site", "import", file.to_str().context("a UTF-8 path")?], None).map(drop)
    }

    fn set_passwords(&self, plan: &BranchPlan) -> anyhow::Result<()> {
        for phone in plan.config["phones"].as_object().context("phones")?.keys() {
            self.command(&["phone", "password", phone, "--password-stdin"], Some(PHONE_PASSWORD))?;
        }
        for (agent, supervisor) in &plan.staff {
            let mut args = vec!["agent", "password", agent, "--password-stdin"];
            if *supervisor {
                args.push("--supervisor");
            }
            self.command(&args, Some(DESK_PASSWORD))?;
        }
        for (trunk, password) in &plan.secrets {
            self.command(&["trunk", "password", trunk, "--password-stdin"], Some(password))?;
        }
        Ok(())
    }

    /// One of `boxd`'s commands; what it printed.
    pub fn command(&self, args: &[&str], input: Option<&str>) -> anyhow::Result<String> {
        run(&ours("boxd")?, args, &self.config, input)
    }

    /// What one of the box's processes counts, as Prometheus would read it.
    pub fn figures(&self, process: Process) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.metrics_port + process as u16))?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        Ok(page)
    }

    fn run(&mut self) -> anyhow::Result<()> {
        // What an earlier life said of its health is no word of this one.
        match fs::remove_file(self.folder.join("run/health.json")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut command = Command::new(ours("boxd")?);
        command.arg("run").arg("--config").arg(&self.config);
        self.program = Some(Program::start("boxd", command, &self.folder.join("boxd.log"))?);
        Ok(())
    }

    /// Starts the box (again) and waits until its processes are ready and a configuration is active.
    pub fn launch(&mut self) -> anyhow::Result<()> {
        self.run()?;
        wait_for("the box is healthy", PATIENCE, || {
            let health = self.health()?;
            let checks = health["checks"].as_object()?;
            checks.values().all(|check| check == true).then_some(())
        })
        .with_context(|| format!("{:?}\n{}", self.health(), self.tail()))
    }

    pub fn stop(&mut self) {
        self.program = None;
    }

    pub fn tail(&self) -> String {
        self.program.as_ref().map(Program::tail).unwrap_or_default()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("boxd.log")).unwrap_or_default()
    }

    pub fn health(&self) -> Option<Value> {
        serde_json::from_slice(&fs::read(self.folder.join("run/health.json")).ok()?).ok()
    }

    /// Process ids by name (`calls`, `media`, `sync`).
    pub fn pids(&self) -> BTreeMap<String, u32> {
        let health = self.health().unwrap_or_default();
        let processes = health["processes"].as_object().cloned().unwrap_or_default();
        processes
            .into_iter()
            .filter_map(|(name, process)| Some((name, u32::try_from(process["pid"].as_u64()?).ok()?)))
            .collect()
    }

    /// Ids of the recordings on the box, by age.
    pub fn recordings(&self) -> Vec<PathBuf> {
        let Ok(folder) = fs::read_dir(self.folder.join("data/recordings")) else { return Vec::new() };
        let mut files: Vec<_> = folder
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "blr"))
            .map(|entry| (entry.metadata().and_then(|data| data.modified()).ok(), entry.path()))
            .collect();
        files.sort();
        files.into_iter().map(|(_, path)| path).collect()
    }
}
