//! The console's client, generated from the document: `UPDATE_CLIENT=1` writes it.

use std::{fmt::Write as _, path::Path};

use cloudd::http::document::{Answer, Operation, operations, whole};
use serde_json::Value;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sync/pages/console/src/cloud.ts");

const ASKED: &str = "
function asked(query: Record<string, string | number | undefined>): string {
  const said = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return said.length === 0 ? '' : `?${new URLSearchParams(said)}`;
}
";

#[test]
fn the_client_of_the_console_is_what_the_document_says() {
    let text = client();
    if std::env::var_os("UPDATE_CLIENT").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let kept = std::fs::read_to_string(Path::new(FILE)).unwrap_or_default();
    assert!(kept == text, "the client is of another document: UPDATE_CLIENT=1 writes it anew");
}

fn client() -> String {
    let mut text = String::from(
        "// Generated from cloudd's interface (/api/openapi.json) by its tests: UPDATE_CLIENT=1. Not written by hand.\n\
         import { get, post, put, remove } from '@shared/api';\n",
    );
    let document = whole();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        write!(text, "\nexport type {name} = {};\n", shown(schema)).unwrap();
    }
    text.push_str(ASKED);
    text.push_str("\n/** Each route by its name. What is put into a path is encoded. */\nexport const cloud = {\n");
    for operation in operations() {
        if let Some(line) = function(&operation) {
            writeln!(text, "  /** {} */\n  {line},", operation.says).unwrap();
        }
    }
    text.push_str("};\n");
    text
}

/// None: it is nothing that a page asks for.
fn function(operation: &Operation) -> Option<String> {
    let answer = match &operation.answer {
        Answer::Json(shape) => shown(&shape.schema),
        Answer::Nothing => "void".to_owned(),
        Answer::Elsewhere | Answer::Socket | Answer::Text(_) => return None,
    };
    let (mut parameters, mut path) = (Vec::new(), operation.path.to_owned());
    let named = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    for name in named {
        parameters.push(format!("{name}: string | number"));
        path = path.replace(&format!("{{{name}}}"), &format!("${{encodeURIComponent({name})}}"));
    }
    if !operation.query.is_empty() {
        let fields = operation
            .query
            .iter()
            .map(|(name, required, _)| format!("{name}{}: string | number", if *required { "" } else { "?" }));
        let fields: Vec<String> = fields.collect();
        let optional = if operation.query.iter().any(|(_, required, _)| *required) { "" } else { " = {}" };
        parameters.push(format!("query: {{ {} }}{optional}", fields.join("; ")));
        path.push_str("${asked(query)}");
    }
    if let Some(takes) = &operation.takes {
        parameters.push(format!("body: {}", shown(&takes.schema)));
    }
    let (verb, body) = match operation.method {
        "get" => ("get", ""),
        "post" => ("post", if operation.takes.is_some() { ", body" } else { ", {}" }),
        "put" => ("put", ", body"),
        _ => ("remove", ""),
    };
    let generic = if verb == "get" || verb == "post" { format!("<{answer}>") } else { String::new() };
    Some(format!("{}: ({}) => {verb}{generic}(`{path}`{body})", operation.name(), parameters.join(", ")))
}

/// A schema in TypeScript.
fn shown(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(words) = schema["enum"].as_array() {
        return words
            .iter()
            .map(|word| format!("'{}'", word.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(" | ");
    }
    if let Some(all) = schema["oneOf"].as_array() {
        let all: Vec<String> = all.iter().map(shown).collect();
        return all.join(" | ");
    }
    if let Some(all) = schema["allOf"].as_array() {
        return all.iter().map(|one| format!("({})", shown(one))).collect::<Vec<_>>().join(" & ");
    }
    match &schema["type"] {
        Value::Array(types) => {
            let one = |kind: &Value| {
                let mut alone = schema.clone();
                alone["type"] = kind.clone();
                shown(&alone)
            };
            types.iter().map(one).collect::<Vec<_>>().join(" | ")
        }
        Value::String(kind) => match kind.as_str() {
            "string" => "string".to_owned(),
            "integer" | "number" => "number".to_owned(),
            "boolean" => "boolean".to_owned(),
            "null" => "null".to_owned(),
            "array" if !schema["items"].is_object() => "unknown[]".to_owned(),
            "array" => format!("({})[]", shown(&schema["items"])),
            _ => object(schema),
        },
        _ => "unknown".to_owned(),
    }
}

fn object(schema: &Value) -> String {
    let Some(properties) = schema["properties"].as_object() else {
        let of = schema.get("additionalProperties").filter(|of| of.is_object()).map_or("unknown".to_owned(), shown);
        return format!("Record<string, {of}>");
    };
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let field = |(name, schema): (&String, &Value)| {
        let mark = if required.contains(&name.as_str()) { "" } else { "?" };
        format!("{name}{mark}: {}", shown(schema))
    };
    format!("{{ {} }}", properties.iter().map(field).collect::<Vec<_>>().join("; "))
}
