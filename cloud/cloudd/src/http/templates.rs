//! Changes that are kept under a name, and the tags by which sites are found.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use db::{
    session::Who,
    tag::{TAG_LEN_MAX, TAGS_MAX},
    template::{self, LABEL_LEN_MAX, NAME_LEN_MAX, Template},
};
use fleet::is_destructive;
use model::{Millis, change::Change};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{body::Body, configuration::parse, fault::Fault, site_of};
use crate::{app::App, clock};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateLine)]
pub struct Line {
    template: String,
    label: String,
    changes: Vec<Change>,
    destructive: bool,
    author: String,
    at: Millis,
}

pub async fn all(State(app): State<Arc<App>>) -> Result<Json<Vec<Line>>, Fault> {
    let templates = app.db.read(template::all).await.map_err(|error: db::Error| Fault::from(error))?;
    let lines = templates.into_iter().map(|template| {
        let destructive = template.changes.iter().any(is_destructive);
        let Template { name, label, changes, author, at } = template;
        Line { template: name, label, changes, destructive, author, at }
    });
    Ok(Json(lines.collect()))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewTemplate)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    label: String,
    #[schema(value_type = Vec<Change>)]
    changes: Vec<Value>,
}

/// In place of the one of that name.
pub async fn put(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(name): Path<String>,
    Body(Wanted { label, changes }): Body<Wanted>,
) -> Result<StatusCode, Fault> {
    if !is_word(&name, NAME_LEN_MAX) {
        return Err(Fault::invalid(format!("template: 1 to {NAME_LEN_MAX} of a-z, 0-9 and -")));
    }
    let label = label.trim().to_owned();
    if label.is_empty() || label.chars().count() > LABEL_LEN_MAX {
        return Err(Fault::invalid(format!("label: 1 to {LABEL_LEN_MAX} characters")));
    }
    let (changes, now) = (parse(changes)?, clock::now());
    let template = Template { name, label, changes, author: who.login, at: now };
    let kept = app
        .db
        .write(move |conn| {
            let kept = template::put(conn, &template)?;
            if kept {
                let detail = json!({ "template": template.name, "changes": template.changes });
                db::audit::add(conn, &template.author, "template.put", &detail, now)?;
            }
            Ok(kept)
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    if kept { Ok(StatusCode::NO_CONTENT) } else { Err(Fault::invalid("there is no room for more templates")) }
}

pub async fn remove(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(name): Path<String>,
) -> Result<StatusCode, Fault> {
    let now = clock::now();
    let removed = app
        .db
        .write(move |conn| {
            let removed = template::remove(conn, &name)?;
            if removed {
                db::audit::add(conn, &who.login, "template.remove", &json!({ "template": name }), now)?;
            }
            Ok(removed)
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(Fault::not_found("template")) }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tags {
    tags: BTreeSet<String>,
}

/// In place of those that the site had.
pub async fn tag(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(site): Path<String>,
    Body(Tags { tags }): Body<Tags>,
) -> Result<StatusCode, Fault> {
    let site = site_of(&site)?;
    if tags.len() > TAGS_MAX || !tags.iter().all(|tag| is_tag(tag)) {
        return Err(Fault::invalid(format!("tags: at most {TAGS_MAX}, each of 1 to {TAG_LEN_MAX} characters")));
    }
    let (of, now) = (site.clone(), clock::now());
    let there = app
        .db
        .write(move |conn| {
            let there = db::site::exists(conn, &of)?;
            if there {
                db::tag::set(conn, &of, &tags)?;
                db::audit::add(conn, &who.login, "site.tag", &json!({ "site": of, "tags": tags }), now)?;
            }
            Ok(there)
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    if !there {
        return Err(Fault::not_found("site"));
    }
    app.hints.touch(&site);
    Ok(StatusCode::NO_CONTENT)
}

fn is_word(text: &str, max: usize) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.len() <= max && text.bytes().all(fits)
}

/// In any language, and without white space at its ends.
fn is_tag(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && text.chars().count() <= TAG_LEN_MAX
        && !text.chars().any(char::is_control)
}
