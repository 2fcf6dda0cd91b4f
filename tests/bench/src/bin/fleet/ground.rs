//! The cloud with its sites, the boxes in its database, and their certificates: as if each had been enrolled.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, ensure};
use cloudd::ca::{BOX_LIFE, Ca};
use db::Db;
use harness::{
    process::{Program, free_ports, kill_hard, ours, wait_for},
    web::Session,
};
use link::identity::{self, Identity};
use model::{BoxId, Millis, SiteId};
use serde_json::{Value, json};
use wire::session::Peer;

const LOGIN: &str = "admin@example.org";
const PASSWORD: &str = "correct horse battery staple";

pub struct Ground {
    dir: PathBuf,
    http: String,
    pub link: String,
    program: Option<Program>,
    session: Option<Session>,
    sites: Vec<SiteId>,
    pub boxes: Vec<Identity>,
}

impl Ground {
    pub fn lay(dir: &Path, boxes: usize, sites: usize) -> anyhow::Result<Self> {
        let (http, link) = (free_ports(2), free_ports(2));
        let text = format!(
            "data = \"data\"\n[http]\nlisten = \"127.0.0.1:{http}\"\n[link]\nlisten = \"127.0.0.1:{link}\"\n\
             [log]\nfilter = \"error\"\n"
        );
        fs::write(dir.join("cloud.toml"), text)?;
        init(dir)?;
        let sites = (0..sites).map(|n| SiteId::new(&format!("site-{n}"))).collect::<Result<Vec<_>, _>>()?;
        let identities = enrol(dir, boxes, &sites)?;
        let (http, link) = (format!("http://127.0.0.1:{http}"), format!("127.0.0.1:{link}"));
        Ok(Self { dir: dir.into(), http, link, program: None, session: None, sites, boxes: identities })
    }

    pub fn launch(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(ours("cloudd")?);
        command.arg("run").arg("--config").arg(self.dir.join("cloud.toml"));
        self.program = Some(Program::start("cloudd", command, &self.dir.join("cloudd.log"))?);
        let credentials = json!({ "login": LOGIN, "password": PASSWORD });
        let session = wait_for("the console answers", Duration::from_secs(60), || {
            Session::sign_in(&self.http, &credentials).ok()
        });
        self.session = Some(session?);
        Ok(())
    }

    pub fn kill(&mut self) {
        if let Some(program) = self.program.take() {
            kill_hard(program.pid());
        }
    }

    pub fn pid(&self) -> anyhow::Result<u32> {
        self.program.as_ref().map(Program::pid).context("the cloud is down")
    }

    pub fn sites(&self) -> &[SiteId] {
        &self.sites
    }

    /// Commits to the database since the process began.
    pub fn commits(&self) -> anyhow::Result<u64> {
        let text = self.session.as_ref().context("nobody is signed in")?.bytes("/metrics")?;
        let text = String::from_utf8(text)?;
        let line = text.lines().find_map(|line| line.strip_prefix("cloudd_db_commits_total "));
        Ok(line.context("no such figure")?.parse::<f64>()? as u64)
    }

    pub fn edit(&self, site: &SiteId, body: &Value) -> anyhow::Result<()> {
        let session = self.session.as_ref().context("nobody is signed in")?;
        session.post(&format!("/api/sites/{site}/changes"), body).map(drop)
    }
}

fn init(dir: &Path) -> anyhow::Result<()> {
    use std::io::Write;
    let mut child = Command::new(ours("cloudd")?)
        .args(["init", "--login", LOGIN, "--password-stdin", "--config"])
        .arg(dir.join("cloud.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    writeln!(child.stdin.take().context("standard input")?, "{PASSWORD}")?;
    ensure!(child.wait()?.success(), "cloudd init failed");
    Ok(())
}

fn enrol(dir: &Path, boxes: usize, sites: &[SiteId]) -> anyhow::Result<Vec<Identity>> {
    let now = Millis(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?);
    let ca = Ca::open(&dir.join("data/ca"), now)?;
    // Keys are written with care for a disk; ten thousand of them want to lie in memory.
    let memory = Path::new("/dev/shm");
    let scratch = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }?;
    let mut identities = Vec::new();
    for (n, site) in (1..=boxes).zip(sites.iter().cycle()) {
        let peer = Peer { box_id: BoxId(n as u128), site: site.clone() };
        let folder = scratch.path().join(n.to_string());
        let csr = identity::request(&folder)?;
        let signed = ca.sign(&csr, &peer, now, BOX_LIFE)?;
        identity::keep(&folder, signed.pem.as_bytes(), Some(ca.pem().as_bytes()))?;
        identities.push(Identity::load(&folder)?);
        fs::remove_dir_all(&folder)?;
    }
    let peers: Vec<Peer> = identities.iter().map(|identity| identity.peer.clone()).collect();
    let sites = sites.to_vec();
    Db::open(&dir.join("data/cloud.db"))?.write_blocking(move |conn| -> db::Result<()> {
        for site in &sites {
            db::site::add(conn, site, now)?;
        }
        peers.iter().try_for_each(|peer| db::boxes::add(conn, peer.box_id, &peer.site, now).map(drop))
    })?;
    Ok(identities)
}
