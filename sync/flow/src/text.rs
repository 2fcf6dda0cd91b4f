//! A flow as YAML, for people and for version control. What is printed is read back as the same flow.

use model::flow::Flow;

/// Bytes of a text that is read.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("a flow's text has at most {TEXT_BYTES_MAX} bytes")]
    TooLong,
    /// With line and column where they are known.
    #[error("{0}")]
    NotAFlow(String),
}

/// Reads a flow. Whether it can run is another question: see [`crate::check`].
pub fn parse(text: &str) -> Result<Flow, Error> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Error::TooLong);
    }
    let said = |error: &dyn std::fmt::Display| {
        let all = error.to_string();
        Error::NotAFlow(all.chars().filter(|c| !c.is_control()).take(300).collect())
    };
    // `n` and `on` are names. By way of JSON: what stands in a document and what stands in a text are one notation.
    let value: serde_json::Value =
        serde_saphyr::from_str_with_options(text, serde_saphyr::options! { strict_booleans: true })
            .map_err(|error| said(&error))?;
    serde_json::from_value(value).map_err(|error| said(&error))
}

/// Writes a flow.
pub fn print(flow: &Flow) -> Result<String, Error> {
    let value = serde_json::to_value(flow).map_err(|error| Error::NotAFlow(error.to_string()))?;
    serde_saphyr::to_string(&value).map_err(|error| Error::NotAFlow(error.to_string()))
}
