//! `cloud.toml`, parsed once into what cannot be wrong. Unknown keys are refused, and all faults are told together,
//! each with its path. A relative `data` is relative to the file.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use db::user::{Role, Scope};
use model::SiteId;
use toml::{Table, Value};

use crate::{command::user::scope_of, oidc};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The database, unless it is elsewhere, the certificate authority and the bundles lie here.
    pub data: PathBuf,
    /// None: a file in `data`.
    pub database: Option<Database>,
    pub http: Http,
    pub link: Link,
    /// How long a sign-in lasts.
    pub session: Duration,
    /// How long an enrolment code can be used.
    pub enrolment: Duration,
    pub log: Log,
    pub single_sign_on: Option<SingleSignOn>,
}

/// The console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    pub listen: SocketAddr,
    /// Where browsers find the console, when that is not `listen` itself: `https://console.example.org`.
    pub origins: Vec<String>,
    /// The cookie is only for HTTPS.
    pub secure: bool,
    /// Who may read `/metrics`.
    pub metrics_from: Vec<IpAddr>,
}

/// A PostgreSQL server, which several equal instances may share.
#[derive(Clone, PartialEq, Eq)]
pub struct Database {
    /// `postgres://user@host/name?sslmode=require`, or `host=… user=… dbname=…`.
    pub url: String,
    /// Holds the password on its first line.
    pub password_file: Option<PathBuf>,
    /// Who may sign the server's certificate; without it TLS is refused.
    pub ca_file: Option<PathBuf>,
}

// The URL may hold a password.
impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

/// The organisation's identity provider (OpenID Connect).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleSignOn {
    /// What the provider is called on the button.
    pub label: String,
    pub issuer: String,
    pub client_id: String,
    /// Holds the client's secret on its first line; none for a public client.
    pub client_secret_file: Option<PathBuf>,
    /// What is asked for; `openid` is among it.
    pub scope: String,
    /// Which claim is the login here.
    pub login_claim: String,
    pub groups_claim: String,
    /// The first that a person is in gives them their role. Who is in none may not enter.
    pub groups: Vec<Group>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub group: String,
    pub role: Role,
    pub scope: Scope,
}

impl SingleSignOn {
    pub fn secret(&self) -> anyhow::Result<Option<String>> {
        let Some(path) = &self.client_secret_file else { return Ok(None) };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("single_sign_on.client_secret_file: cannot read {}", path.display()))?;
        Ok(Some(text.lines().next().unwrap_or_default().trim().to_owned()))
    }
}

/// Where boxes connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub listen: SocketAddr,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub json: bool,
    /// `info`, or a filter such as `info,cloudd=debug`.
    pub filter: String,
}

/// All that is wrong with a file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Faults(pub Vec<String>);

pub fn load(path: &Path) -> anyhow::Result<Settings> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let base = path.parent().unwrap_or(Path::new(""));
    parse(&text, base).map_err(|faults| {
        let lines: Vec<String> = faults.0.iter().map(|fault| format!("{}: {fault}", path.display())).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })
}

pub fn parse(text: &str, base: &Path) -> Result<Settings, Faults> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| Faults(vec![error.to_string()]))?;
    let mut faults = Vec::new();
    let mut root = Section { path: String::new(), table, faults: &mut faults };
    let data = root.text("data").unwrap_or_else(|| root.missing("data"));
    let session = root.number("session_hours", 1..=168).unwrap_or(12);
    let enrolment = root.number("enrolment_minutes", 1..=1440).unwrap_or(30);

    let database = root.table.contains_key("database").then(|| {
        let mut section = root.section("database");
        let database = Database {
            url: section.text("url").unwrap_or_else(|| section.missing("url")),
            password_file: section.text("password_file").map(|path| base.join(path)),
            ca_file: section.text("ca_file").map(|path| base.join(path)),
        };
        section.end();
        database
    });

    let mut section = root.section("http");
    let http = Http {
        listen: section.address("listen").unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
        origins: section.texts("origins", origin).unwrap_or_default(),
        secure: section.flag("secure").unwrap_or(false),
        metrics_from: section
            .texts("metrics_from", |text| text.parse().map_err(|_| "is not an IP address"))
            .unwrap_or_else(|| vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
    };
    section.end();

    let mut section = root.section("link");
    let link = Link { listen: section.address("listen").unwrap_or(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 4433))) };
    section.end();

    let single_sign_on = root.table.contains_key("single_sign_on").then(|| {
        let mut section = root.section("single_sign_on");
        let single = SingleSignOn {
            label: section.text("label").unwrap_or_else(|| "Single sign-on".into()),
            issuer: section.text("issuer").unwrap_or_else(|| section.missing("issuer")),
            client_id: section.text("client_id").unwrap_or_else(|| section.missing("client_id")),
            client_secret_file: section.text("client_secret_file").map(|path| base.join(path)),
            scope: section.text("scope").unwrap_or_else(|| "openid email groups".into()),
            login_claim: section.text("login_claim").unwrap_or_else(|| "email".into()),
            groups_claim: section.text("groups_claim").unwrap_or_else(|| "groups".into()),
            groups: section
                .tables("groups")
                .into_iter()
                .enumerate()
                .map(|(n, table)| section.group(n, table))
                .collect(),
        };
        if !single.issuer.is_empty() && !oidc::is_private(&single.issuer) {
            section.fault("issuer", "is not an HTTPS address");
        }
        section.end();
        single
    });

    let mut section = root.section("log");
    let log = Log {
        json: section.choice("format", &["text", "json"]) == Some(1),
        filter: section.text("filter").unwrap_or_else(|| "info".into()),
    };
    section.end();
    root.end();

    if !faults.is_empty() {
        return Err(Faults(faults));
    }
    let hour = Duration::from_secs(3600);
    let minute = Duration::from_secs(60);
    let (session, enrolment) = (hour * session, minute * enrolment);
    Ok(Settings { data: base.join(data), database, http, link, session, enrolment, log, single_sign_on })
}

fn origin(text: &str) -> Result<String, &'static str> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fits = host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ', '?', '#', '@']));
    if fits { Ok(text.to_ascii_lowercase()) } else { Err("is not an origin such as https://console.example.org") }
}

/// One table: keys are taken out of it, and what is left at the end is unknown.
struct Section<'a> {
    path: String,
    table: Table,
    faults: &'a mut Vec<String>,
}

impl Section<'_> {
    fn section(&mut self, key: &str) -> Section<'_> {
        let path = self.at(key);
        let table = match self.table.remove(key) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.faults.push(format!("{path}: is not a table"));
                Table::new()
            }
        };
        Section { path, table, faults: self.faults }
    }

    fn end(self) {
        for key in self.table.keys() {
            self.faults.push(format!("{}: unknown key", self.at(key)));
        }
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn fault(&mut self, key: &str, problem: &str) {
        let path = self.at(key);
        self.faults.push(format!("{path}: {problem}"));
    }

    fn missing(&mut self, key: &str) -> String {
        let path = self.at(key);
        if !self.faults.iter().any(|fault| fault.starts_with(&format!("{path}:"))) {
            self.fault(key, "is missing");
        }
        String::new()
    }

    fn tables(&mut self, key: &str) -> Vec<Table> {
        match self.table.remove(key) {
            None => self.fault(key, "is missing: nobody could enter"),
            Some(Value::Array(rows)) => {
                let tables: Option<Vec<Table>> = rows.into_iter().map(|row| row.as_table().cloned()).collect();
                match tables {
                    Some(tables) => return tables,
                    None => self.fault(key, "is not a list of tables"),
                }
            }
            Some(_) => self.fault(key, "is not a list of tables"),
        }
        Vec::new()
    }

    /// A row of `single_sign_on.groups`.
    fn group(&mut self, number: usize, table: Table) -> Group {
        let mut row = Section { path: self.at(&format!("groups[{number}]")), table, faults: self.faults };
        let group = row.text("group").unwrap_or_else(|| row.missing("group"));
        let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
        let role = row.choice("role", &names).and_then(|at| Role::ALL.get(at).copied()).unwrap_or(Role::Viewer);
        let sites = row.texts("sites", |text| SiteId::new(text).map_err(|_| "is not the id of a site"));
        let scope = scope_of(role, sites.unwrap_or_default()).unwrap_or_else(|why| {
            row.fault("sites", &why);
            Scope::All
        });
        row.end();
        Group { group, role, scope }
    }

    fn text(&mut self, key: &str) -> Option<String> {
        match self.table.remove(key)? {
            Value::String(text) if !text.is_empty() => return Some(text),
            _ => self.fault(key, "is not a text"),
        }
        None
    }

    fn flag(&mut self, key: &str) -> Option<bool> {
        match self.table.remove(key)? {
            Value::Boolean(flag) => return Some(flag),
            _ => self.fault(key, "is neither true nor false"),
        }
        None
    }

    fn number(&mut self, key: &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let number = match self.table.remove(key)? {
            Value::Integer(number) => u32::try_from(number).ok().filter(|number| range.contains(number)),
            _ => None,
        };
        if number.is_none() {
            self.fault(key, &format!("is not a whole number from {} to {}", range.start(), range.end()));
        }
        number
    }

    fn address(&mut self, key: &str) -> Option<SocketAddr> {
        let address = self.text(key)?.parse().ok();
        if address.is_none() {
            self.fault(key, "is not an address with a port such as 127.0.0.1:8080");
        }
        address
    }

    fn choice(&mut self, key: &str, choices: &[&str]) -> Option<usize> {
        let text = self.text(key)?;
        let found = choices.iter().position(|choice| *choice == text);
        if found.is_none() {
            self.fault(key, &format!("is none of {}", choices.join(", ")));
        }
        found
    }

    fn texts<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, &'static str>) -> Option<Vec<T>> {
        let Value::Array(values) = self.table.remove(key)? else {
            self.fault(key, "is not a list");
            return None;
        };
        let mut parsed = Vec::new();
        for (number, value) in values.iter().enumerate() {
            match value.as_str().ok_or("is not a text").and_then(&parse) {
                Ok(value) => parsed.push(value),
                Err(problem) => self.fault(&format!("{key}[{number}]"), problem),
            }
        }
        Some(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_file_names_the_folder_and_the_rest_has_defaults() {
        let settings = parse("data = \"cloud\"", Path::new("/srv")).unwrap();
        assert_eq!(settings.data, Path::new("/srv/cloud"));
        assert_eq!(settings.http.listen, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(settings.session, Duration::from_secs(12 * 3600));
        assert!(!settings.log.json);
        assert_eq!(settings.database, None);
    }

    #[test]
    fn a_database_elsewhere_has_its_password_in_a_file_and_in_no_log() {
        let text = "data = \"cloud\"\n[database]\nurl = \"postgres://app:geheim@db/cloud\"\npassword_file = \"pg.txt\"";
        let database = parse(text, Path::new("/srv")).unwrap().database.unwrap();
        assert_eq!(database.password_file.as_deref(), Some(Path::new("/srv/pg.txt")));
        assert!(!format!("{database:?}").contains("geheim"));
        let faults = parse("data = \"cloud\"\n[database]\nport = 1", Path::new("/srv")).unwrap_err();
        assert_eq!(faults.0, ["database.url: is missing", "database.port: unknown key"]);
    }

    #[test]
    fn the_groups_of_an_identity_provider_have_roles_of_sites() {
        let text = r#"
            data = "cloud"
            [single_sign_on]
            issuer = "https://id.example"
            client_id = "branchline"
            [[single_sign_on.groups]]
            group = "telephony"
            role = "administrator"
            [[single_sign_on.groups]]
            group = "north"
            role = "supervisor"
            sites = ["north"]
        "#;
        let single = parse(text, Path::new("/srv")).unwrap().single_sign_on.unwrap();
        let rows: Vec<(&str, Role, String)> =
            single.groups.iter().map(|row| (row.group.as_str(), row.role, row.scope.to_string())).collect();
        let expected =
            [("telephony", Role::Administrator, "*".into()), ("north", Role::Supervisor, "north".to_owned())];
        assert_eq!(rows, expected);
        let bad = "data = \"c\"\n[single_sign_on]\nissuer = \"http://id.example\"\nclient_id = \"b\"\n\
                   [[single_sign_on.groups]]\nrole = \"king\"\nsites = [\"NO\"]";
        let expected = [
            "single_sign_on.groups[0].group: is missing",
            "single_sign_on.groups[0].role: is none of administrator, site_administrator, supervisor, analyst, \
             compliance, viewer",
            "single_sign_on.groups[0].sites[0]: is not the id of a site",
            "single_sign_on.issuer: is not an HTTPS address",
        ];
        assert_eq!(parse(bad, Path::new("/")).unwrap_err().0, expected);
    }

    #[test]
    fn the_example_file_works() {
        let text = include_str!("../../../deploy/site/cloud.toml");
        parse(text, Path::new("/")).unwrap();
    }

    #[test]
    fn every_fault_is_told_with_its_path() {
        let text = r#"
            datum = "x"
            session_hours = 0
            [http]
            listen = "localhost"
            origins = ["https://a.example", "a.example", 3]
            secure = "yes"
            [link]
            listen = "0.0.0.0:99999"
            port = 1
            [log]
            format = "xml"
        "#;
        let faults = parse(text, Path::new("/")).unwrap_err();
        let expected = [
            "data: is missing",
            "session_hours: is not a whole number from 1 to 168",
            "http.listen: is not an address with a port such as 127.0.0.1:8080",
            "http.origins[1]: is not an origin such as https://console.example.org",
            "http.origins[2]: is not a text",
            "http.secure: is neither true nor false",
            "link.listen: is not an address with a port such as 127.0.0.1:8080",
            "link.port: unknown key",
            "log.format: is none of text, json",
            "datum: unknown key",
        ];
        assert_eq!(faults.0, expected);
    }

    #[test]
    fn what_is_not_toml_is_told_with_its_line() {
        let faults = parse("data = \n", Path::new("/")).unwrap_err();
        assert!(faults.0[0].contains("line 1"), "{faults}");
    }
}
