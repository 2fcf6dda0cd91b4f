//! A field's value: what a document may say at a path.

use std::fmt::{self, Write};

use automerge::{ScalarValue, Value};
use model::history;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scalar {
    /// Said to be nothing.
    Null,
    Flag(bool),
    Int(i64),
    Text(String),
    /// Nothing that this house writes.
    Strange,
}

impl From<&Value<'_>> for Scalar {
    fn from(value: &Value<'_>) -> Scalar {
        value.as_scalar().map_or(Scalar::Strange, Scalar::from)
    }
}

impl From<&ScalarValue> for Scalar {
    fn from(value: &ScalarValue) -> Scalar {
        match value {
            ScalarValue::Null => Scalar::Null,
            ScalarValue::Boolean(flag) => Scalar::Flag(*flag),
            ScalarValue::Int(number) => Scalar::Int(*number),
            ScalarValue::Uint(number) => i64::try_from(*number).map_or(Scalar::Strange, Scalar::Int),
            ScalarValue::Str(text) => Scalar::Text(text.to_string()),
            _ => Scalar::Strange,
        }
    }
}

impl From<Scalar> for ScalarValue {
    fn from(scalar: Scalar) -> ScalarValue {
        match scalar {
            Scalar::Null | Scalar::Strange => ScalarValue::Null,
            Scalar::Flag(flag) => ScalarValue::Boolean(flag),
            Scalar::Int(number) => ScalarValue::Int(number),
            Scalar::Text(text) => ScalarValue::Str(text.into()),
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Null => f.write_str("-"),
            Scalar::Flag(flag) => write!(f, "{flag}"),
            Scalar::Int(number) => write!(f, "{number}"),
            Scalar::Text(text) => text.chars().take(80).try_for_each(|c| f.write_char(c)),
            Scalar::Strange => f.write_str("?"),
        }
    }
}

impl From<bool> for Scalar {
    fn from(flag: bool) -> Scalar {
        Scalar::Flag(flag)
    }
}

impl From<u32> for Scalar {
    fn from(number: u32) -> Scalar {
        Scalar::Int(number.into())
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Scalar {
        Scalar::Text(text.to_owned())
    }
}

impl From<&String> for Scalar {
    fn from(text: &String) -> Scalar {
        Scalar::Text(text.clone())
    }
}

/// As it is shown in a list: a long text is cut.
impl From<&Scalar> for history::Value {
    fn from(scalar: &Scalar) -> history::Value {
        match scalar {
            Scalar::Null => history::Value::Nothing,
            Scalar::Flag(flag) => history::Value::Flag(*flag),
            Scalar::Int(number) => history::Value::Int(*number),
            Scalar::Text(text) => history::Value::Text(match text.char_indices().nth(history::TEXT_SHOWN) {
                None => text.clone(),
                Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            }),
            Scalar::Strange => history::Value::Text("?".into()),
        }
    }
}
