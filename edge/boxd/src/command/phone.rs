//! `boxd phone`: passwords by hand, and phones that fetch their configuration.

use anyhow::{Context, bail};
use boxd::{
    calls::{open_ledger, secrets, wall},
    config::{BoxConfig, Provision},
    provision::{self, Enrolment},
};
use clap::{Subcommand, ValueEnum};
use model::{Extension, Millis};

#[derive(Subcommand)]
pub enum Phone {
    /// Set a phone's password; it is asked for, or read from standard input.
    Password {
        phone: Extension,
        #[arg(long)]
        password_stdin: bool,
    },
    /// Let a device fetch the phone's configuration; prints the URL to type in. A device before it may no longer.
    Enrol {
        phone: Extension,
        /// Its hardware address; on a label at its back.
        #[arg(long)]
        mac: ::provision::Mac,
        /// yealink, grandstream, poly or snom.
        #[arg(long)]
        make: ::provision::Make,
        /// A colleague whose line it shows; may be given several times.
        #[arg(long = "lamp")]
        lamps: Vec<Extension>,
        /// For so many minutes it may also fetch by its address alone: for phones that DHCP sends here.
        #[arg(long, default_value_t = 0)]
        window_min: u16,
    },
    /// The enrolled phones, and what they fetched.
    List,
    /// The password of a phone's own pages.
    Web { phone: Extension },
    /// Have a phone fetch again, and so have another password.
    Rotate { phone: Extension },
    /// A phone was lost or sold: it may no longer fetch, nor register.
    Dismiss { phone: Extension },
    /// Lines for the DHCP server of the house.
    Dhcp {
        #[arg(long, value_enum, default_value_t = Dhcp::Dnsmasq)]
        server: Dhcp,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Dhcp {
    Dnsmasq,
    Isc,
    Windows,
}

impl Phone {
    pub fn run(self, config: &BoxConfig) -> anyhow::Result<()> {
        match self {
            Phone::Password { phone, password_stdin } => {
                let password = super::password(password_stdin)?;
                super::store(config, secrets::phone_password(&phone, &config.sip.domain, &password)?)
            }
            Phone::Dhcp { server } => {
                let server = match server {
                    Dhcp::Dnsmasq => ::provision::DhcpServer::Dnsmasq,
                    Dhcp::Isc => ::provision::DhcpServer::Isc,
                    Dhcp::Windows => ::provision::DhcpServer::Windows,
                };
                print!("{}", ::provision::snippet(server, &provision::base_url(section(config)?)));
                Ok(())
            }
            other => other.with_ledger(config),
        }
    }

    fn with_ledger(self, config: &BoxConfig) -> anyhow::Result<()> {
        std::fs::create_dir_all(&config.data)?;
        let ledger = open_ledger(config, config.keys.load_or_create()?)?;
        let (writer, reader) = (ledger.writer(), ledger.reader()?);
        match self {
            Phone::Enrol { phone, mac, make, lamps, window_min } => {
                let base = provision::base_url(section(config)?);
                let open_until = match window_min {
                    0 => Millis(0),
                    minutes => Millis(wall().0.saturating_add(i64::from(minutes).saturating_mul(60_000))),
                };
                let token = provision::enrol(&writer, &reader, &phone, (mac, make), lamps, open_until, None)?;
                println!("{base}{token}/");
            }
            Phone::List => {
                for (phone, one) in provision::enrolments(&reader)? {
                    println!("{}", line(&phone, &one));
                }
            }
            Phone::Web { phone } => {
                let one = provision::enrolments(&reader)?.remove(&phone);
                println!("{}", one.with_context(|| format!("{phone} is not enrolled"))?.web_password);
            }
            Phone::Rotate { phone } => provision::resync(&writer, &reader, &phone)?,
            Phone::Dismiss { phone } => provision::dismiss(&writer, &phone, &config.sip.domain, None)?,
            Phone::Password { .. } | Phone::Dhcp { .. } => bail!("it needs no ledger"),
        }
        ledger.close();
        Ok(())
    }
}

fn section(config: &BoxConfig) -> anyhow::Result<&Provision> {
    config.provision.as_ref().context("[provision] is not configured: phones have nowhere to fetch from")
}

/// `101  yealink 001565abcdef  SIP-T46U 108.86.0.45, fetched 2026-11-28T12:00:00Z`
fn line(phone: &Extension, one: &Enrolment) -> String {
    let state = match &one.seen {
        Some(seen) => {
            let at = jiff::Timestamp::from_millisecond(seen.at.0).map(|at| format!("{at:.0}")).unwrap_or_default();
            let device = [seen.model.as_deref(), seen.firmware.as_deref()].into_iter().flatten();
            format!("{}, fetched {at}", device.collect::<Vec<_>>().join(" "))
        }
        None if one.open_until > wall() => "waits, by its address too".into(),
        None => "waits".into(),
    };
    format!("{phone}  {} {}  {state}", one.make, one.mac)
}
