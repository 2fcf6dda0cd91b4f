//! Holds JSON against the schemas of the document, strictly: what a schema does not name may not be there.

use std::collections::BTreeSet;

use serde_json::Value;

pub struct Shapes<'a>(pub &'a Value);

impl Shapes<'_> {
    pub fn holds(&self, schema: &Value, value: &Value, what: &str) {
        if let Err(why) = self.fits(schema, value, what) {
            panic!("{why}\n{value:#}");
        }
    }

    fn named(&self, schema: &Value) -> Option<&Value> {
        let name = schema["$ref"].as_str()?.strip_prefix("#/components/schemas/").expect("within the document");
        let found = &self.0["components"]["schemas"][name];
        assert!(!found.is_null(), "{name} is nowhere");
        Some(found)
    }

    /// Everything that is pointed at.
    pub fn points(&self, within: &Value) {
        match within {
            Value::Object(parts) => {
                self.named(within);
                parts.values().for_each(|part| self.points(part));
            }
            Value::Array(parts) => parts.iter().for_each(|part| self.points(part)),
            _ => {}
        }
    }

    /// Its properties, with those of its parts.
    fn properties(&self, schema: &Value) -> BTreeSet<String> {
        if let Some(named) = self.named(schema) {
            return self.properties(named);
        }
        let own = schema["properties"].as_object().into_iter().flat_map(|all| all.keys().cloned());
        let parts = ["allOf", "oneOf"].into_iter().flat_map(|of| schema[of].as_array().into_iter().flatten());
        own.chain(parts.flat_map(|part| self.properties(part))).collect()
    }

    fn fits(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        if let Some(named) = self.named(schema) {
            return self.fits(named, value, at);
        }
        self.partly(schema, value, at)?;
        let closed = schema.get("properties").is_some() || schema.get("allOf").is_some();
        if let (true, Value::Object(is), None) = (closed, value, schema.get("additionalProperties")) {
            let known = self.properties(schema);
            if let Some(name) = is.keys().find(|name| !known.contains(*name)) {
                return Err(format!("{at}: {name} is in no schema"));
            }
        }
        Ok(())
    }

    /// Without asking what else may be there.
    fn partly(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        if let Some(named) = self.named(schema) {
            return self.partly(named, value, at);
        }
        if let Some(all) = schema["allOf"].as_array() {
            all.iter().try_for_each(|one| self.partly(one, value, at))?;
        }
        if let Some(all) = schema["oneOf"].as_array() {
            let fits = |one: &&Value| self.partly(one, value, at).is_ok();
            if all.iter().filter(fits).count() == 0 {
                let why: Vec<String> = all.iter().filter_map(|one| self.partly(one, value, at).err()).collect();
                return Err(format!("{at} is none of: {}", why.join("; ")));
            }
        }
        if let Some(words) = schema["enum"].as_array()
            && !words.contains(value)
        {
            return Err(format!("{at} is {value}, and not one of {words:?}"));
        }
        let types: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        };
        let is = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        if !(types.is_empty() || types.contains(&is) || (is == "integer" && types.contains(&"number"))) {
            return Err(format!("{at} is {is}, and not {types:?}"));
        }
        if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
            for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                self.fits(items, item, &format!("{at}[{n}]"))?;
            }
        }
        let Value::Object(is) = value else { return Ok(()) };
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !is.contains_key(name) {
                return Err(format!("{at}: {name} is missing"));
            }
        }
        let properties = schema["properties"].as_object();
        for (name, value) in is {
            let own = properties.and_then(|all| all.get(name));
            let other = schema.get("additionalProperties").filter(|other| other.is_object() && properties.is_none());
            if let Some(schema) = own.or(other) {
                self.fits(schema, value, &format!("{at}.{name}"))?;
            }
        }
        Ok(())
    }
}
