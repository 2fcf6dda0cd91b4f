//! What was changed last of each site, for the other processes on the same database: commands beside a running
//! `cloudd`, and its equal instances. They are woken where the store can do that, look at the turns above the last one
//! they saw, and miss nothing if they were not.

use model::{SiteId, change::Doc};

use crate::{
    Error, Result, site,
    sql::{Connection, Kind, params, postgres::CHANNEL},
};

/// Most that one look is answered with.
pub const LOOK_MAX: u32 = 4_096;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Config(Doc),
    /// Figures, health or a notice.
    Figures,
    /// A box was enrolled or revoked.
    Box,
    /// The bundle on offer.
    Offer,
}

impl From<Doc> for What {
    fn from(doc: Doc) -> Self {
        What::Config(doc)
    }
}

impl What {
    const ALL: [What; 6] = [
        What::Config(Doc::Org),
        What::Config(Doc::Site),
        What::Config(Doc::Local),
        What::Figures,
        What::Box,
        What::Offer,
    ];

    fn name(self) -> &'static str {
        match self {
            What::Config(doc) => crate::change::name(doc),
            What::Figures => "figures",
            What::Box => "box",
            What::Offer => "offer",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    pub turn: i64,
    pub site: SiteId,
    pub what: What,
    /// Whoever looks need not look at its own.
    pub writer: String,
}

/// This process, in what it writes here.
pub fn me() -> &'static str {
    static ME: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    ME.get_or_init(|| {
        let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        format!("{}-{:x}", std::process::id(), started.as_nanos())
    })
}

/// In the transaction of what was changed.
pub(crate) fn note(conn: &Connection, site: &SiteId, what: What) -> Result<()> {
    let sql = "INSERT INTO touched (site, what, turn, writer)
               VALUES (?1, ?2, (SELECT coalesce(max(turn), 0) + 1 FROM touched), ?3)
               ON CONFLICT (site, what) DO UPDATE SET turn = excluded.turn, writer = excluded.writer";
    conn.execute(sql, params![site, what.name(), me()])?;
    if let Kind::Postgres(_) = &conn.0 {
        conn.one("SELECT pg_notify(?1, '')", params![CHANNEL], |_| Ok(()))?;
    }
    Ok(())
}

/// What was touched after turn `seen`, the oldest first.
pub fn since(conn: &Connection, seen: i64) -> Result<Vec<Touched>> {
    let sql = "SELECT turn, site, what, writer FROM touched WHERE turn > ?1 ORDER BY turn LIMIT ?2";
    conn.all(sql, params![seen, LOOK_MAX], |row| {
        let what: String = row.get(2)?;
        let known = What::ALL.into_iter().find(|known| known.name() == what);
        Ok(Touched {
            turn: row.get(0)?,
            site: site::parse(&row.get::<String>(1)?)?,
            what: known.ok_or_else(|| Error::corrupt("what was touched", what))?,
            writer: row.get(3)?,
        })
    })
}

/// The newest turn: whoever has just read everything goes on from here.
pub fn turn(conn: &Connection) -> Result<i64> {
    conn.only("SELECT coalesce(max(turn), 0) FROM touched", params![])
}
