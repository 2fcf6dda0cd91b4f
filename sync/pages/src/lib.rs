//! The two pages people work with, built and embedded: the desk (served by a box) and the console (served by the
//! cloud). Who may load them, and what they talk to, is the business of the daemon that serves them.
//!
//! ```
//! let page = pages::desk("/").expect("the desk has a first page");
//! assert_eq!(page.mime, "text/html; charset=utf-8");
//! ```

use std::borrow::Cow;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/pages/desk"]
struct Desk;

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/pages/console"]
struct Console;

/// One file of a page, ready to be served.
#[derive(Debug, Clone)]
pub struct Asset {
    pub bytes: Cow<'static, [u8]>,
    /// The same bytes under `Content-Encoding: gzip`, for text that shrinks by it.
    pub gzip: Option<Cow<'static, [u8]>>,
    /// With charset where it has one.
    pub mime: Cow<'static, str>,
    /// A strong entity tag, quotes included.
    pub etag: String,
    /// The name holds a hash of the content: it may be kept for ever.
    pub immutable: bool,
}

impl Asset {
    /// The `Cache-Control` that fits this file.
    pub fn cache_control(&self) -> &'static str {
        if self.immutable { "public, max-age=31536000, immutable" } else { "no-cache" }
    }
}

/// What both daemons send with every response of their pages. Scripts come from our own origin and never inline;
/// styles may be inline because the component library writes its variables so (S-49).
pub const SECURITY_HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// What the desk sends in place of the permissions above: a telephone needs a microphone.
pub const DESK_PERMISSIONS: (&str, &str) =
    ("permissions-policy", "camera=(), geolocation=(), microphone=(self), payment=(), usb=()");

/// One line, so that the screenshot script serves the pages under the very same policy.
pub const CONTENT_SECURITY_POLICY: &str = include_str!("../csp.txt").trim_ascii();

/// A file of the desk by its path, `/` for the first page. Paths that are no file of the page are `None`, except
/// those without an extension: they are places within the page, and get the first page.
pub fn desk(path: &str) -> Option<Asset> {
    find(path, Desk::get)
}

/// A file of the console; as [`desk`].
pub fn console(path: &str) -> Option<Asset> {
    find(path, Console::get)
}

fn find(path: &str, embedded: fn(&str) -> Option<rust_embed::EmbeddedFile>) -> Option<Asset> {
    let name = path.trim_start_matches('/');
    let name = if is_place(name) { "index.html" } else { name };
    if name.ends_with(".gz") {
        return None;
    }
    let file = embedded(name)?;
    let mime = mime_guess::from_path(name).first_or_octet_stream();
    let mime = match (mime.type_().as_str(), mime.subtype().as_str()) {
        ("text", _) | (_, "javascript" | "json") => format!("{}; charset=utf-8", mime.essence_str()),
        _ => mime.essence_str().to_owned(),
    };
    Some(Asset {
        gzip: embedded(&format!("{name}.gz")).map(|file| file.data),
        etag: format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16])),
        immutable: name.starts_with("assets/"),
        bytes: file.data,
        mime: mime.into(),
    })
}

/// A path within the page (`/sites/north`), not a file of it: its last part has no extension.
fn is_place(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    !last.contains('.') && !name.starts_with("assets/") && !name.starts_with("api/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_pages_have_a_first_page_that_names_only_embedded_files() {
        for (page, get) in [("desk", desk as fn(&str) -> Option<Asset>), ("console", console)] {
            let html = String::from_utf8(get("/").unwrap().bytes.into_owned()).unwrap();
            let named: Vec<&str> = html
                .split(['"', '\''])
                .filter(|part| part.starts_with("/assets/") || part.starts_with("./assets/"))
                .collect();
            assert!(!named.is_empty(), "{page} loads nothing");
            for name in named {
                let asset = get(name.trim_start_matches('.')).unwrap_or_else(|| panic!("{page} names {name}"));
                assert!(asset.immutable && asset.gzip.is_some(), "{name}");
            }
        }
    }

    #[test]
    fn nothing_in_a_page_is_loaded_from_elsewhere_or_runs_inline() {
        for get in [desk as fn(&str) -> Option<Asset>, console] {
            let html = String::from_utf8(get("/").unwrap().bytes.into_owned()).unwrap();
            assert!(!html.contains("http://") && !html.contains("https://"), "{html}");
            for script in html.split("<script").skip(1) {
                assert!(script.contains("src="), "an inline script: {script}");
            }
        }
    }

    #[test]
    fn a_place_within_the_page_gets_the_first_page_and_a_missing_file_nothing() {
        assert_eq!(console("/sites/north/queues").unwrap().etag, console("/").unwrap().etag);
        assert!(console("/assets/none.js").is_none());
        assert!(console("/api/sites").is_none());
        assert!(desk("/../Cargo.toml").is_none());
        assert!(desk("/index.html.gz").is_none());
    }

    #[test]
    fn the_policy_forbids_inline_scripts_and_foreign_hosts() {
        assert!(!CONTENT_SECURITY_POLICY.contains('\n'));
        let script = CONTENT_SECURITY_POLICY.split(';').find(|d| d.trim().starts_with("script-src")).unwrap();
        assert_eq!(script.trim(), "script-src 'self'");
        assert!(CONTENT_SECURITY_POLICY.starts_with("default-src 'none'"));
    }

    #[test]
    fn the_first_load_of_the_desk_stays_below_its_budget() {
        const FIRST_LOAD_BYTES_MAX: usize = 200 * 1024;
        let html = String::from_utf8(desk("/").unwrap().bytes.into_owned()).unwrap();
        let bytes: usize = html
            .split('"')
            .filter(|part| part.starts_with("/assets/"))
            .map(|name| desk(name).and_then(|asset| asset.gzip).map_or(0, |gzip| gzip.len()))
            .sum();
        assert!(bytes > 10_000, "measured nothing: {bytes}");
        assert!(bytes <= FIRST_LOAD_BYTES_MAX, "{bytes} bytes compressed");
    }
}
