//! Every refusal the desk gives over HTTP: one shape, `{"error":{"code","message","fault"}}`, and who is at fault.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{ChangeRefused, ChatRefused, NoteRefused, ReportError, TicketRefused, Unavailable};

/// Who has to do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Whoever asked.
    Request,
    /// The box: trying again later may help.
    Box,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("sign in first")]
    SignedOut,
    #[error("this name and password do not belong together")]
    BadCredentials,
    #[error("too many attempts; try again in {retry_after_s} s")]
    TooManyAttempts { retry_after_s: u64 },
    #[error("your role may not do this")]
    Forbidden,
    #[error("this request does not come from a page of this desk")]
    ForeignOrigin,
    #[error("a write carries the header x-branchline: 1")]
    UnmarkedWrite,
    #[error("there is no such thing here")]
    NotFound,
    #[error("not understood: {0}")]
    BadRequest(String),
    #[error("this part of the recording does not exist")]
    BadRange { length: usize },
    #[error(transparent)]
    Change(#[from] ChangeRefused),
    #[error("too many desks are open")]
    TooManySockets,
    #[error("too many reports are being made, or one for you; try again in a moment")]
    TooManyReports,
    #[error("somebody has dealt with it already")]
    AlreadyDone,
    #[error("no phone is assigned to you")]
    NoPhone,
    #[error("phones fetch nothing from this box: [provision] is not in box.toml")]
    NoProvisioning,
    #[error("the note has been changed elsewhere")]
    NoteChanged,
    #[error("what was known of this contact is erased")]
    Erased,
    #[error("the time in which this could be changed is over")]
    TooLate,
    #[error("the contact goes on: it is named on its card")]
    GoesOn,
    #[error("no such disposition at this queue")]
    UnknownDisposition,
    #[error("the ticket has been changed elsewhere")]
    TicketChanged,
    #[error(transparent)]
    Ticket(ticket::Refused),
    #[error("too many tickets are open; close some")]
    TooManyTickets,
    #[error("you write too fast; wait a moment")]
    TooFast,
    #[error("these promises cannot be made: {0}")]
    BadTerms(String),
    #[error("ask for an account first")]
    NoAccount,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

#[derive(Serialize)]
struct Body<'a> {
    error: Told<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
}

#[derive(Serialize)]
struct Told<'a> {
    code: &'a str,
    message: String,
    fault: Fault,
}

impl Refusal {
    fn row(&self) -> (StatusCode, &str, Fault) {
        use Fault::{Box, Request};
        match self {
            Self::SignedOut => (StatusCode::UNAUTHORIZED, "signed_out", Request),
            Self::BadCredentials => (StatusCode::UNAUTHORIZED, "bad_credentials", Request),
            Self::TooManyAttempts { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", Request),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", Request),
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "foreign_origin", Request),
            Self::UnmarkedWrite => (StatusCode::FORBIDDEN, "unmarked_write", Request),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", Request),
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad_request", Request),
            Self::BadRange { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "bad_range", Request),
            Self::Change(refused) => (StatusCode::UNPROCESSABLE_ENTITY, &refused.code, refused.fault),
            Self::AlreadyDone => (StatusCode::CONFLICT, "already_done", Request),
            Self::NoPhone => (StatusCode::CONFLICT, "no_phone", Request),
            Self::NoProvisioning => (StatusCode::CONFLICT, "no_provisioning", Request),
            Self::NoteChanged => (StatusCode::CONFLICT, "note_changed", Request),
            Self::Erased => (StatusCode::GONE, "erased", Request),
            Self::TooLate => (StatusCode::CONFLICT, "too_late", Request),
            Self::GoesOn => (StatusCode::CONFLICT, "goes_on", Request),
            Self::UnknownDisposition => (StatusCode::UNPROCESSABLE_ENTITY, "unknown_disposition", Request),
            Self::TicketChanged => (StatusCode::CONFLICT, "ticket_changed", Request),
            Self::Ticket(ticket::Refused::Illegal { .. } | ticket::Refused::Closed) => {
                (StatusCode::CONFLICT, "illegal_move", Request)
            }
            Self::Ticket(_) => (StatusCode::UNPROCESSABLE_ENTITY, "ticket_refused", Request),
            Self::TooManyTickets => (StatusCode::CONFLICT, "too_many_tickets", Request),
            Self::TooFast => (StatusCode::TOO_MANY_REQUESTS, "too_fast", Request),
            Self::BadTerms(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_terms", Request),
            Self::NoAccount => (StatusCode::CONFLICT, "no_account", Request),
            Self::TooManyReports => (StatusCode::SERVICE_UNAVAILABLE, "too_many_reports", Box),
            Self::TooManySockets => (StatusCode::SERVICE_UNAVAILABLE, "too_many_desks", Box),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", Box),
        }
    }
}

impl From<ReportError> for Refusal {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Refused(refused) => Self::BadRequest(refused.to_string()),
            ReportError::GivenUp | ReportError::Unavailable(_) => Self::Unavailable(Unavailable),
        }
    }
}

impl From<NoteRefused> for Refusal {
    fn from(refused: NoteRefused) -> Self {
        match refused {
            NoteRefused::Changed { .. } => Self::NoteChanged,
            NoteRefused::Erased => Self::Erased,
            NoteRefused::TooLate => Self::TooLate,
            NoteRefused::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<ChatRefused> for Refusal {
    fn from(refused: ChatRefused) -> Self {
        match refused {
            ChatRefused::TooMany => Self::TooFast,
            ChatRefused::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<TicketRefused> for Refusal {
    fn from(refused: TicketRefused) -> Self {
        match refused {
            TicketRefused::Changed { .. } => Self::TicketChanged,
            TicketRefused::Refused(refused) => Self::Ticket(refused),
            TicketRefused::Erased => Self::Erased,
            TicketRefused::TooMany => Self::TooManyTickets,
            TicketRefused::NotFound => Self::NotFound,
            TicketRefused::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, fault) = self.row();
        let (message, index) = match &self {
            Self::Change(refused) => (refused.message.clone(), Some(refused.index)),
            other => (other.to_string(), None),
        };
        let mut response = (status, Json(Body { error: Told { code, message, fault }, index })).into_response();
        match &self {
            Self::TooManyAttempts { retry_after_s } => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_s));
            }
            Self::BadRange { length } => {
                if let Ok(range) = HeaderValue::try_from(format!("bytes */{length}")) {
                    response.headers_mut().insert(header::CONTENT_RANGE, range);
                }
            }
            _ => {}
        }
        response
    }
}
