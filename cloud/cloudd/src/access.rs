//! Who may do what: every route with what it asks for, and every role with what it has. What is not written here is
//! denied.

use axum::http::Method;
use db::user::Role;

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Nothing: anybody who reaches the port.
    Open,
    /// To be signed in.
    SignedIn,
    Verb(Verb),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    SeeSites,
    SeeConfiguration,
    ChangeConfiguration,
    SeeFigures,
    Enrol,
    SeeBoxes,
    RevokeBox,
    OfferBundle,
    SeeAudit,
    /// To say that one has seen a notice.
    AnswerNotice,
}

impl Verb {
    pub const ALL: [Verb; 10] = [
        Verb::SeeSites,
        Verb::SeeConfiguration,
        Verb::ChangeConfiguration,
        Verb::SeeFigures,
        Verb::Enrol,
        Verb::SeeBoxes,
        Verb::RevokeBox,
        Verb::OfferBundle,
        Verb::SeeAudit,
        Verb::AnswerNotice,
    ];
}

pub fn may(role: Role, verb: Verb) -> bool {
    match (role, verb) {
        (Role::Administrator, _) => true,
        (Role::Analyst, Verb::SeeSites | Verb::SeeConfiguration | Verb::SeeFigures | Verb::SeeBoxes) => true,
        (Role::Analyst, Verb::ChangeConfiguration | Verb::Enrol | Verb::SeeAudit) => false,
        (Role::Analyst, Verb::RevokeBox | Verb::OfferBundle | Verb::AnswerNotice) => false,
    }
}

/// One route.
#[derive(Debug, Clone)]
pub struct Row {
    pub method: Method,
    pub path: &'static str,
    pub ask: Ask,
}

pub const ROUTES: &[Row] = &[
    row(Method::POST, "/api/session", Ask::Open),
    row(Method::DELETE, "/api/session", Ask::SignedIn),
    row(Method::GET, "/api/me", Ask::SignedIn),
    row(Method::PUT, "/api/me/password", Ask::SignedIn),
    row(Method::GET, "/api/sites", Ask::Verb(Verb::SeeSites)),
    row(Method::GET, "/api/sites/{site}/config", Ask::Verb(Verb::SeeConfiguration)),
    row(Method::POST, "/api/sites/{site}/changes", Ask::Verb(Verb::ChangeConfiguration)),
    row(Method::GET, "/api/sites/{site}/history", Ask::Verb(Verb::SeeConfiguration)),
    row(Method::POST, "/api/sites/{site}/enrolment", Ask::Verb(Verb::Enrol)),
    row(Method::POST, "/api/sites/{site}/bundle", Ask::Verb(Verb::OfferBundle)),
    row(Method::GET, "/api/boxes", Ask::Verb(Verb::SeeBoxes)),
    row(Method::POST, "/api/boxes/{box}/revocation", Ask::Verb(Verb::RevokeBox)),
    row(Method::GET, "/api/bundles", Ask::Verb(Verb::SeeBoxes)),
    row(Method::GET, "/api/figures", Ask::Verb(Verb::SeeFigures)),
    row(Method::GET, "/api/notices", Ask::Verb(Verb::SeeSites)),
    row(Method::POST, "/api/notices/{site}/{notice}/seen", Ask::Verb(Verb::AnswerNotice)),
    row(Method::GET, "/api/audit", Ask::Verb(Verb::SeeAudit)),
    row(Method::GET, "/api/events", Ask::Verb(Verb::SeeSites)),
    // Guarded by the caller's address.
    row(Method::GET, "/metrics", Ask::Open),
    row(Method::GET, "/healthz", Ask::Open),
];

const fn row(method: Method, path: &'static str, ask: Ask) -> Row {
    Row { method, path, ask }
}

/// None: not to be had by anybody.
pub fn ask(method: &Method, path: &str) -> Option<Ask> {
    // A HEAD is answered by the GET's handler.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    ROUTES.iter().find(|row| row.method == method && row.path == path).map(|row| row.ask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_analyst_only_ever_reads() {
        for row in ROUTES {
            if let Ask::Verb(verb) = row.ask
                && may(Role::Analyst, verb)
            {
                assert_eq!(row.method, Method::GET, "{}", row.path);
            }
        }
    }

    #[test]
    fn a_route_that_is_not_in_the_table_is_denied() {
        assert_eq!(ask(&Method::GET, "/api/everything"), None);
        assert_eq!(ask(&Method::DELETE, "/api/sites"), None);
        assert_eq!(ask(&Method::HEAD, "/healthz"), Some(Ask::Open));
    }
}
