//! `boxd lab`: tests what it is pointed at, proves and compares reports.

use std::{net::IpAddr, path::PathBuf};

use anyhow::{Context, bail};
use boxd::{
    config::BoxConfig,
    lab::{self, Order, Trust},
};
use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub enum Lab {
    /// Test a phone: the extension of one that is registered here over UDP, its URI (sip:101@192.0.2.9:5060), or, with
    /// --listen, one that is set up to register at the lab. It is called some thirty times; let it answer by itself.
    Phone(Device),
    /// Test a gateway (sip:192.0.2.1:5060); --call names a number behind it that answers.
    Gateway(Device),
    /// Test a carrier's trunk (sip:192.0.2.1:5060); --call names a number that answers, such as an echo test.
    Trunk(Device),
    /// Prove a report's signature.
    Verify {
        report: PathBuf,
        /// The public key that is trusted (hex), for reports of other boxes.
        #[arg(long)]
        key: Option<String>,
    },
    /// What changed between two reports of one device, such as before and after a firmware update.
    Diff { old: PathBuf, new: PathBuf },
    /// What happens each night: test the devices of `[lab]`, keep their reports, and compare them with the last.
    Night,
    /// The behaviours that are tested.
    List,
}

#[derive(Args)]
pub struct Device {
    target: String,
    /// A number or URI that answers.
    #[arg(long)]
    call: Option<String>,
    /// The account at the device; its password is asked for, or read from a file.
    #[arg(long)]
    user: Option<String>,
    #[arg(long, requires = "user")]
    password_file: Option<PathBuf>,
    /// The address of this machine to test from.
    #[arg(long)]
    from: Option<IpAddr>,
    /// Wait here, `IP:PORT`, for the phone to register with --user and its password.
    #[arg(long, requires = "user")]
    listen: Option<std::net::SocketAddr>,
    #[arg(long, default_value_t = 5061)]
    tls_port: u16,
    /// How long a call may ring, in seconds.
    #[arg(long, default_value_t = 20)]
    answer: u64,
    /// Somebody presses keys on the device: how long to wait for them, in seconds.
    #[arg(long)]
    keys: Option<u64>,
    /// Only these probes (`boxd lab list`), separated by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The folder for the report.
    #[arg(long, default_value = ".")]
    out: PathBuf,
    #[arg(long)]
    quiet: bool,
}

impl Lab {
    /// False when something failed that should be told by the exit code.
    pub async fn run(self, config: &BoxConfig) -> anyhow::Result<()> {
        use ::lab::plan::Kind;
        let (kind, device) = match self {
            Lab::Phone(device) => (Kind::Phone, device),
            Lab::Gateway(device) => (Kind::Gateway, device),
            Lab::Trunk(device) => (Kind::Trunk, device),
            Lab::Verify { report, key } => {
                let (read, trust) = lab::verify(config, &report, key.as_deref())?;
                let whose = match trust {
                    Trust::Identity => "this box's identity",
                    Trust::Lab => "this box's lab key",
                    Trust::Named => "the key that was named",
                };
                println!("{}: {} {}, as signed by {whose}", report.display(), read.kind.word(), read.target);
                return Ok(());
            }
            Lab::Diff { old, new } => {
                return if lab::compare(config, &old, &new)? { bail!("something that worked fails") } else { Ok(()) };
            }
            Lab::Night => {
                return if lab::night::run(config).await? { Ok(()) } else { bail!("not all devices do what they did") };
            }
            Lab::List => {
                for probe in ::lab::probes::all() {
                    println!("{:<17} {:<34} {}", probe.id, probe.rfc, probe.title.en);
                }
                return Ok(());
            }
        };
        let report = lab::run(config, device.order(kind)?).await?;
        anyhow::ensure!(lab::is_good(&report), "{} behaviours fail", report.count(::lab::verdict::Mark::Fail));
        Ok(())
    }
}

impl Device {
    fn order(self, kind: ::lab::plan::Kind) -> anyhow::Result<Order> {
        let password = match (&self.user, &self.password_file) {
            (None, _) => None,
            (Some(_), Some(file)) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
                Some(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            (Some(_), None) => {
                let asked = rpassword::prompt_password("password: ");
                Some(asked.context("there is no terminal: use --password-file")?)
            }
        };
        let account = self.user.zip(password).map(|(user, password)| ::lab::plan::Account { user, password });
        Ok(Order {
            kind,
            target: self.target,
            call: self.call,
            account,
            from: self.from,
            listen: self.listen,
            tls_port: self.tls_port,
            answer_s: self.answer,
            keys_s: self.keys,
            only: self.only,
            out: self.out,
            quiet: self.quiet,
        })
    }
}
