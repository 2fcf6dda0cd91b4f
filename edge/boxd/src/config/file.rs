//! What `box.toml` looks like: the shapes that it is read into before anything of it is believed.

use std::{collections::BTreeMap, path::PathBuf};

use model::config::Protection;
use serde::Deserialize;

use super::LogFormat;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub site: String,
    pub data: PathBuf,
    pub run: PathBuf,
    pub prompts: PathBuf,
    #[serde(default)]
    pub key: FileKey,
    pub sip: FileSip,
    #[serde(default)]
    pub tls: FileTls,
    #[serde(default)]
    pub dns: FileDns,
    pub rtp: FileRtp,
    pub speech: Option<FileSpeech>,
    pub desk: FileDesk,
    pub provision: Option<FileProvision>,
    pub lab: Option<FileLab>,
    #[serde(default)]
    pub siprec: Vec<FileSiprec>,
    #[serde(default)]
    pub look_up: FileLookUp,
    pub metrics: Option<FileListen>,
    pub cloud: Option<FileCloud>,
    #[serde(default)]
    pub witness: FileWitness,
    pub firmware: Option<FileFirmware>,
    #[serde(default)]
    pub log: FileLog,
}

#[derive(Deserialize)]
#[serde(tag = "in", rename_all = "lowercase", deny_unknown_fields)]
pub enum FileKey {
    File {},
    Tpm {
        #[serde(default = "auto")]
        device: String,
        #[serde(default = "secure_boot")]
        pcrs: String,
        #[serde(default = "systemd_creds")]
        program: PathBuf,
    },
}

impl Default for FileKey {
    fn default() -> Self {
        Self::File {}
    }
}

fn auto() -> String {
    "auto".into()
}

/// The register of the secure boot policy: another system's loader has another.
fn secure_boot() -> String {
    "7".into()
}

fn systemd_creds() -> PathBuf {
    "systemd-creds".into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSip {
    pub domain: String,
    pub listen: Vec<String>,
    #[serde(default)]
    pub origins: Vec<String>,
    #[serde(default = "networks_default")]
    pub networks: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct FileTls {
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub trunk_ca: Option<PathBuf>,
    #[serde(default)]
    pub trunks: BTreeMap<String, FileTlsTrunk>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileTlsTrunk {
    pub name: Option<String>,
    pub pin: Option<String>,
    #[serde(default)]
    pub known_by: FileKnownBy,
}

#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum FileKnownBy {
    #[default]
    Address,
    Certificate,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct FileDns {
    #[serde(default)]
    pub servers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRtp {
    pub ip: String,
    pub ports: [u16; 2],
    #[serde(default = "io_uring_default")]
    pub io_uring: bool,
    #[serde(default = "level_default")]
    pub level: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSpeech {
    pub program: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileDesk {
    pub listen: String,
    #[serde(default)]
    pub tls: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileListen {
    pub listen: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileLab {
    pub at: String,
    pub devices: Vec<FileLabDevice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileLabDevice {
    pub name: String,
    pub kind: ::lab::plan::Kind,
    pub target: String,
    pub call: Option<String>,
    #[serde(default)]
    pub only: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSiprec {
    pub name: String,
    pub peer: String,
    #[serde(default)]
    pub protection: Protection,
    #[serde(default)]
    pub media: Vec<String>,
    pub account: Option<FileAccount>,
    pub records: Option<FileRecords>,
    #[serde(default)]
    pub brings: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileAccount {
    pub user: String,
    pub realm: String,
    pub password: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecords {
    #[serde(default)]
    pub queues: Vec<String>,
    #[serde(default)]
    pub numbers: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct FileLookUp {
    #[serde(default)]
    pub allow: Vec<FileAllowed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileAllowed {
    pub network: String,
    pub port: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileProvision {
    pub listen: String,
    #[serde(default = "time_server_default")]
    pub time_server: String,
    #[serde(default)]
    pub language: FileLanguage,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum FileLanguage {
    #[default]
    English,
    Chinese,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileCloud {
    pub endpoints: Vec<String>,
    #[serde(default)]
    pub web: Vec<String>,
    pub proxy: Option<String>,
    pub proxy_credentials: Option<PathBuf>,
    #[serde(default = "interval_default")]
    pub interval_s: u32,
    #[serde(default = "k_default")]
    pub k_callers: u32,
    pub bundles: Option<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct FileWitness {
    pub file: Option<PathBuf>,
    pub syslog: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileFirmware {
    pub state: PathBuf,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct FileLog {
    #[serde(default)]
    pub format: LogFormat,
}

fn time_server_default() -> String {
    "pool.ntp.org".into()
}

fn io_uring_default() -> bool {
    true
}

fn level_default() -> bool {
    true
}

/// RFC 1918, RFC 3927, RFC 4193, RFC 4291, and the box itself.
fn networks_default() -> Vec<String> {
    let all = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    ];
    all.map(str::to_owned).into()
}

fn interval_default() -> u32 {
    900
}

fn k_default() -> u32 {
    10
}
