//! The interface as an OpenAPI 3.1 document, at [`PATH`]. Shapes come of the very types that routes take and answer with;
//! which route has which stands in [`routes`], and a test asks every one of them.

mod routes;

use std::collections::BTreeMap;

use axum::Json;
use serde_json::{Map, Value, json};
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

use crate::access::{self, Ask};

pub use routes::operations;

pub const PATH: &str = "/api/openapi.json";

/// What a request has, or an answer.
#[derive(Clone)]
pub struct Shape {
    pub schema: Value,
    parts: Vec<(String, RefOr<Schema>)>,
}

impl Shape {
    /// The schemas that it is made of, by their names.
    pub fn parts(&self) -> impl Iterator<Item = (String, Value)> {
        self.parts.iter().map(|(name, schema)| (name.clone(), told(name, schema)))
    }

    fn of<T: ToSchema>() -> Shape {
        let mut parts = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut parts);
        Shape { schema: json!({ "$ref": format!("#/components/schemas/{}", T::name()) }), parts }
    }

    fn list<T: ToSchema>() -> Shape {
        let Shape { schema, parts } = Shape::of::<T>();
        Shape { schema: json!({ "type": "array", "items": schema }), parts }
    }
}

#[derive(Clone)]
pub enum Answer {
    Json(Shape),
    /// 204.
    Nothing,
    /// A browser is sent on.
    Elsewhere,
    /// A WebSocket.
    Socket,
    /// Of this media type.
    Text(&'static str),
}

/// One way to ask one route.
#[derive(Clone)]
pub struct Operation {
    pub method: &'static str,
    pub path: &'static str,
    pub says: &'static str,
    /// Name, whether it must be there, and what it is.
    pub query: &'static [(&'static str, bool, &'static str)],
    pub takes: Option<Shape>,
    pub answer: Answer,
}

pub async fn document() -> Json<Value> {
    Json(whole())
}

/// The document. The same for everybody.
pub fn whole() -> Value {
    let (mut paths, mut schemas) = (Map::new(), BTreeMap::new());
    let fault = Shape::of::<super::fault::Told>();
    for operation in operations() {
        let shapes = [operation.takes.as_ref(), operation.answer.shape(), Some(&fault)];
        for (name, schema) in shapes.into_iter().flatten().flat_map(|shape| &shape.parts) {
            schemas.entry(name.clone()).or_insert_with(|| told(name, schema));
        }
        let entry = paths.entry(operation.path).or_insert_with(|| json!({}));
        entry[operation.method] = operation.told();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Branchline cloud",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Everything the console does. Times are milliseconds since 1970. A refusal says in its body who is at fault.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": "branchline", "description": "Of a person who has signed in; __Host-branchline over TLS." },
                "token": { "type": "http", "scheme": "bearer", "description": "Of a program." },
            },
        },
    })
}

/// Fields that are left out where nothing is to be said; with a question mark, where they may be null. Every other one is
/// always there.
const LEFT_OUT: &[(&str, &[&str])] = &[
    ("Difference", &["before", "after"]),
    ("Fault", &["index"]),
    ("Field", &["before", "after"]),
    ("Flow", &["language", "shown", "variables"]),
    ("MergeSaid", &["value"]),
    ("Outcome", &["kept"]),
    ("RolloutLine", &["why"]),
    ("RolloutSite", &["left"]),
    ("Step", &["send", "take", "after", "otherwise?", "number"]),
];

/// A schema as it is written.
fn told(name: &str, schema: &RefOr<Schema>) -> Value {
    let left_out = LEFT_OUT.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, fields)| fields);
    let mut schema = serde_json::to_value(schema).unwrap_or_default();
    require(&mut schema, left_out);
    schema
}

fn require(schema: &mut Value, left_out: &[&str]) {
    let may_be_null = |one: &Value| {
        one["type"].as_array().is_some_and(|types| types.contains(&json!("null")))
            || one["oneOf"].as_array().is_some_and(|all| all.iter().any(|one| one["type"] == "null"))
    };
    let is_left_out = |name: &String, one: &Value| {
        left_out.contains(&name.as_str()) || (left_out.contains(&format!("{name}?").as_str()) && may_be_null(one))
    };
    let names = schema["properties"].as_object().map(|properties| {
        let names = properties.iter().filter(|(name, one)| !is_left_out(name, one));
        names.map(|(name, _)| json!(name)).collect::<Vec<Value>>()
    });
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        // Left out, and so never null.
        properties.iter_mut().filter(|(name, one)| is_left_out(name, one)).for_each(|(_, one)| never_null(one));
    }
    if let (Some(names), Value::Object(schema)) = (names, &mut *schema) {
        schema.insert("required".into(), names.into());
    }
    match schema {
        Value::Object(parts) => parts.values_mut().for_each(|part| require(part, left_out)),
        Value::Array(parts) => parts.iter_mut().for_each(|part| require(part, left_out)),
        _ => {}
    }
}

fn never_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|one| one != "null");
    }
    if let Some(all) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        all.retain(|one| one["type"] != "null");
    }
}

impl Answer {
    pub fn shape(&self) -> Option<&Shape> {
        match self {
            Answer::Json(shape) => Some(shape),
            Answer::Nothing | Answer::Elsewhere | Answer::Socket | Answer::Text(_) => None,
        }
    }

    fn told(&self) -> (&'static str, Value) {
        match self {
            Answer::Json(shape) => (
                "200",
                json!({ "description": "Done.", "content": { "application/json": { "schema": shape.schema } } }),
            ),
            Answer::Nothing => ("204", json!({ "description": "Done." })),
            Answer::Elsewhere => ("303", json!({ "description": "The browser is sent on." })),
            Answer::Socket => ("101", json!({ "description": "A WebSocket." })),
            Answer::Text(kind) => {
                ("200", json!({ "description": "Done.", "content": { *kind: { "schema": { "type": "string" } } } }))
            }
        }
    }
}

impl Operation {
    fn told(&self) -> Value {
        let method = self.method.to_uppercase();
        let ask = method.parse().ok().and_then(|method| access::ask(&method, self.path));
        let (status, answer) = self.answer.told();
        let fault = json!({
            "description": "Refused: `error.fault` says by whose fault.",
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Fault" } } },
        });
        let mut told = json!({
            "operationId": self.name(),
            "summary": self.says,
            "parameters": self.parameters(),
            "responses": { status: answer, "4XX": fault, "5XX": fault },
            "security": match ask {
                Some(Ask::Open) => json!([]),
                Some(Ask::SignedIn | Ask::Verb(_)) if self.is_for_programs(ask) => json!([{ "session": [] }, { "token": [] }]),
                _ => json!([{ "session": [] }]),
            },
        });
        if let Some(Ask::Verb(verb)) = ask {
            told["x-may"] = json!(verb);
        }
        if let Some(shape) = &self.takes {
            told["requestBody"] =
                json!({ "required": true, "content": { "application/json": { "schema": shape.schema } } });
        }
        told
    }

    fn is_for_programs(&self, ask: Option<Ask>) -> bool {
        let method = self.method.to_uppercase().parse().unwrap_or_default();
        ask.is_some_and(|ask| access::program_may(&method, self.path, ask))
    }

    /// `get /api/sites/{site}/config` is `getSitesSiteConfig`.
    pub fn name(&self) -> String {
        let words =
            self.path.trim_start_matches("/api").split(['/', '-', '.']).map(|word| word.trim_matches(['{', '}']));
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        };
        words.fold(self.method.to_owned(), |name, word| name + &capital(word))
    }

    fn parameters(&self) -> Vec<Value> {
        let text = json!({ "type": "string" });
        let within = self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let mut all: Vec<Value> =
            within.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": text })).collect();
        all.extend(self.query.iter().map(|(name, required, says)| {
            json!({ "name": name, "in": "query", "required": required, "description": says, "schema": text })
        }));
        if self.method != "get" {
            let says = "1. Not needed with a token.";
            all.push(json!({ "name": "x-branchline", "in": "header", "required": false, "description": says, "schema": text }));
        }
        all
    }
}
