//! PostgreSQL, as it comes from the distribution: a server of one's own on a Unix socket, and a database for each test.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, bail, ensure};

use crate::process::{Program, wait_for};

const PATIENCE: Duration = Duration::from_secs(60);
/// Whom the server runs as when this process is root: it refuses to be.
const NOBODY: (&str, &str) = ("nobody", "nogroup");

/// A running server; ends when dropped.
pub struct Postgres {
    dir: tempfile::TempDir,
    program: Option<Program>,
}

impl Postgres {
    pub fn start() -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("pg").tempdir()?;
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777))?;
        let data = dir.path().join("data");
        run(Command::new("cp").arg("-a").arg(template()?).arg(&data))?;
        let mut server = Self { dir, program: None };
        server.launch()?;
        Ok(server)
    }

    /// Starts the server (again).
    pub fn launch(&mut self) -> anyhow::Result<()> {
        let dir = self.dir.path();
        let mut command = as_nobody(&program("postgres")?);
        command.arg("-D").arg(dir.join("data")).arg("-k").arg(dir).args(["-c", "listen_addresses="]);
        // Nothing here outlives the test, and a test must not wait for the disk.
        for setting in ["fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=60"] {
            command.args(["-c", setting]);
        }
        command.current_dir(dir);
        self.program = Some(Program::start("postgres", command, &dir.join("postgres.log"))?);
        let socket = dir.join(".s.PGSQL.5432");
        wait_for("PostgreSQL's socket", PATIENCE, || std::os::unix::net::UnixStream::connect(&socket).ok())
            .with_context(|| self.program.as_ref().map(Program::tail).unwrap_or_default())?;
        wait_for("PostgreSQL", PATIENCE, || self.sql("postgres", "SELECT 1").ok()).map(drop)
    }

    /// At once, as when its machine loses power.
    pub fn stop(&mut self) {
        if let Some(program) = &mut self.program {
            // Every process of the server ends itself; the clients see their connections closed.
            program.signal(nix::sys::signal::Signal::SIGQUIT);
            let _ = program.wait(Duration::from_secs(10));
        }
        self.program = None;
    }

    /// A new database's URL.
    pub fn database(&self, name: &str) -> anyhow::Result<String> {
        self.sql("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(self.url(name))
    }

    pub fn url(&self, name: &str) -> String {
        format!("host={} user=app dbname={name}", self.dir.path().display())
    }

    /// What `psql` says to a statement, without ornaments.
    pub fn sql(&self, database: &str, statement: &str) -> anyhow::Result<String> {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "app", "-d", database, "-c", statement]);
        let output = psql.arg("-h").arg(self.dir.path()).output().context("psql")?;
        ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }
}

/// A folder that `initdb` has filled, made once for all tests of a build: it takes two seconds.
fn template() -> anyhow::Result<PathBuf> {
    let exe = std::env::current_exe()?;
    let folder = exe.parent().context("a folder")?.join("postgres-template");
    let data = folder.join("data");
    let done = folder.join("done");
    fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    if done.exists() {
        return Ok(data);
    }
    let made = tempfile::Builder::new().prefix("pg-init").tempdir()?;
    fs::set_permissions(made.path(), fs::Permissions::from_mode(0o777))?;
    let fresh = made.path().join("data");
    let mut command = as_nobody(&program("initdb")?);
    command.arg("-D").arg(&fresh).args(["-U", "app", "-A", "trust", "-E", "UTF8", "--no-sync"]);
    run(command.current_dir(made.path()))?;
    let _ = fs::remove_dir_all(&data);
    run(Command::new("cp").arg("-a").arg(&fresh).arg(&data))?;
    File::create(done)?;
    Ok(data)
}

fn as_nobody(program: &Path) -> Command {
    if !nix::unistd::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={}", NOBODY.0)).arg(format!("--regid={}", NOBODY.1)).arg("--clear-groups");
    command.arg(program);
    command
}

/// On the path, or where Debian puts it.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    match folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => bail!("{name} is not installed: run deploy/install/packages"),
    }
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
