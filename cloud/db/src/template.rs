//! Changes of a configuration that are kept under a name, to be made at many sites.

use model::{Millis, change::Change};

use crate::{
    Error, Result,
    sql::{Connection, Row, params},
};

/// Most templates of one cloud.
pub const TEMPLATES_MAX: i64 = 500;
/// Longest name and label, in characters.
pub const NAME_LEN_MAX: usize = 40;
pub const LABEL_LEN_MAX: usize = 60;

#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pub name: String,
    pub label: String,
    pub changes: Vec<Change>,
    /// Who said last what it is, and when.
    pub author: String,
    pub at: Millis,
}

/// In place of the one of its name; false when there is no room for another.
pub fn put(conn: &Connection, template: &Template) -> Result<bool> {
    let Template { name, label, changes, author, at } = template;
    let others = "SELECT count(*) FROM template WHERE template <> ?1";
    if conn.only::<i64>(others, params![name])? >= TEMPLATES_MAX {
        return Ok(false);
    }
    let changes = serde_json::to_string(changes).map_err(|error| Error::corrupt("a template", error))?;
    let sql = "INSERT INTO template (template, label, changes, author, at) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (template) DO UPDATE SET label = excluded.label, changes = excluded.changes,
                   author = excluded.author, at = excluded.at";
    conn.execute(sql, params![name, label, changes, author, at.0])?;
    Ok(true)
}

/// False: there is none of this name.
pub fn remove(conn: &Connection, name: &str) -> Result<bool> {
    Ok(conn.execute("DELETE FROM template WHERE template = ?1", params![name])? == 1)
}

/// All, in the order of their names.
pub fn all(conn: &Connection) -> Result<Vec<Template>> {
    conn.all("SELECT template, label, changes, author, at FROM template ORDER BY template", params![], of_row)
}

fn of_row(row: &Row<'_>) -> Result<Template> {
    let changes = serde_json::from_str(&row.get::<String>(2)?).map_err(|error| Error::corrupt("a template", error))?;
    Ok(Template { name: row.get(0)?, label: row.get(1)?, changes, author: row.get(3)?, at: Millis(row.get(4)?) })
}
