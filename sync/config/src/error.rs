//! Why a change is not taken. The peer's fault (bytes), or the person's who edits (fields).

use model::{StepId, change::Doc, flow::Fault};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    // Bytes from a peer or a disk.
    #[error("not an encoded change or message: {0}")]
    Malformed(&'static str),
    #[error("{what}: {len} exceeds {max}")]
    TooLarge { what: &'static str, len: u64, max: u64 },
    /// It belongs to another document or another site.
    #[error("the change belongs to another document")]
    Foreign,
    /// Well formed, and it contradicts what this replica holds (an actor that wrote two different things at once).
    #[error("the change contradicts the document")]
    Contradiction,
    /// Only the centre writes here.
    #[error("{doc:?} is not theirs to write")]
    NotTheirs { doc: Doc },

    // Edits by a person.
    #[error("this is not edited in the {doc:?} document")]
    WrongDocument { doc: Doc },
    #[error("there is no {what} {id}")]
    Unknown { what: &'static str, id: String },
    #[error("{field} is {value}, outside {min} to {max}")]
    Bounds { field: String, value: i64, min: i64, max: i64 },
    #[error("{field} has {len} characters, allowed are 1 to {max}")]
    Length { field: String, len: usize, max: usize },
    #[error("{field} is not valid: {why}")]
    Invalid { field: String, why: &'static str },
    /// A flow that cannot run, or that somebody cannot leave.
    #[error("{at}: {}", told(fault, road))]
    Flow { at: String, fault: Box<Fault>, road: Vec<StepId> },
    #[error("more than {max} {what}")]
    TooMany { what: &'static str, max: usize },
}

fn told(fault: &Fault, road: &[StepId]) -> String {
    let fault = serde_json::to_string(fault).unwrap_or_default();
    let road: Vec<&str> = road.iter().map(StepId::as_str).collect();
    if road.is_empty() { fault } else { format!("{fault}, by {}", road.join(" > ")) }
}
