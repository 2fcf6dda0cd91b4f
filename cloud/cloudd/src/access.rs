//! Who may do what: every route with what it asks for, and every role with what it has. What is not written here is
//! denied.

use axum::http::Method;
use db::user::Role;
use serde::Serialize;
use utoipa::ToSchema;

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Nothing: anybody who reaches the port.
    Open,
    /// To be signed in.
    SignedIn,
    Verb(Verb),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
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
    SeePeople,
    ChangePeople,
    /// To say which sites belong together.
    GroupSites,
    /// To change many sites at once, and what is kept for that.
    RollOut,
    /// To cut a site off for a while, and to call that off.
    Drill,
}

impl Verb {
    pub const ALL: [Verb; 15] = [
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
        Verb::SeePeople,
        Verb::ChangePeople,
        Verb::GroupSites,
        Verb::RollOut,
        Verb::Drill,
    ];
}

/// The roles by their names.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum RoleName {
    Administrator,
    SiteAdministrator,
    Supervisor,
    Analyst,
    Compliance,
    Viewer,
}

/// What each role has, beside what everybody has: to see how their sites stand.
pub fn may(role: Role, verb: Verb) -> bool {
    use Verb::*;
    let more: &[Verb] = match role {
        Role::Administrator => &Verb::ALL,
        Role::SiteAdministrator => &[SeeConfiguration, ChangeConfiguration, SeeFigures, Enrol, AnswerNotice, Drill],
        Role::Supervisor => &[SeeConfiguration, SeeFigures, AnswerNotice, Drill],
        Role::Analyst => &[SeeConfiguration, SeeFigures],
        Role::Compliance => &[SeeConfiguration, SeeFigures, SeeAudit, SeePeople],
        Role::Viewer => &[],
    };
    matches!(verb, SeeSites | SeeBoxes) || more.contains(&verb)
}

/// What a program may with a token, beside its role: nothing of people or of other tokens, and no sockets.
pub fn program_may(method: &Method, path: &str, ask: Ask) -> bool {
    match ask {
        Ask::Open => true,
        Ask::SignedIn => (method, path) == (&Method::GET, "/api/me"),
        Ask::Verb(Verb::ChangePeople) => false,
        // The second of two people is no program.
        Ask::Verb(Verb::RollOut) => path != "/api/rollouts/{rollout}/agreement",
        Ask::Verb(_) => path != "/api/events",
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
    // A question with a body: nothing is changed by it.
    row(Method::POST, "/api/sites/{site}/plan", Ask::Verb(Verb::SeeConfiguration)),
    row(Method::POST, "/api/sites/{site}/apply", Ask::Verb(Verb::ChangeConfiguration)),
    row(Method::GET, "/api/sites/{site}/history", Ask::Verb(Verb::SeeConfiguration)),
    row(Method::GET, "/api/sites/{site}/blame", Ask::Verb(Verb::SeeConfiguration)),
    row(Method::GET, "/api/sites/{site}/diff", Ask::Verb(Verb::SeeConfiguration)),
    row(Method::POST, "/api/sites/{site}/undo", Ask::Verb(Verb::ChangeConfiguration)),
    row(Method::GET, "/api/sites/{site}/merge", Ask::Verb(Verb::SeeConfiguration)),
    row(Method::POST, "/api/sites/{site}/merge", Ask::Verb(Verb::ChangeConfiguration)),
    row(Method::GET, "/api/sites/{site}/flows/{flow}/versions", Ask::Verb(Verb::SeeConfiguration)),
    // Drafts of who may publish them.
    row(Method::POST, "/api/flows/read", Ask::Verb(Verb::ChangeConfiguration)),
    row(Method::POST, "/api/flows/print", Ask::Verb(Verb::ChangeConfiguration)),
    row(Method::GET, "/api/drills", Ask::Verb(Verb::SeeConfiguration)),
    row(Method::PUT, "/api/sites/{site}/drill", Ask::Verb(Verb::Drill)),
    row(Method::DELETE, "/api/sites/{site}/drill", Ask::Verb(Verb::Drill)),
    row(Method::POST, "/api/sites/{site}/enrolment", Ask::Verb(Verb::Enrol)),
    row(Method::POST, "/api/sites/{site}/bundle", Ask::Verb(Verb::OfferBundle)),
    row(Method::GET, "/api/boxes", Ask::Verb(Verb::SeeBoxes)),
    row(Method::POST, "/api/boxes/{box}/revocation", Ask::Verb(Verb::RevokeBox)),
    row(Method::GET, "/api/bundles", Ask::Verb(Verb::SeeBoxes)),
    row(Method::PUT, "/api/sites/{site}/tags", Ask::Verb(Verb::GroupSites)),
    row(Method::GET, "/api/templates", Ask::Verb(Verb::RollOut)),
    row(Method::PUT, "/api/templates/{template}", Ask::Verb(Verb::RollOut)),
    row(Method::DELETE, "/api/templates/{template}", Ask::Verb(Verb::RollOut)),
    row(Method::GET, "/api/rollouts", Ask::Verb(Verb::SeeConfiguration)),
    row(Method::POST, "/api/rollouts", Ask::Verb(Verb::RollOut)),
    row(Method::POST, "/api/rollouts/look", Ask::Verb(Verb::RollOut)),
    row(Method::POST, "/api/rollouts/{rollout}/say", Ask::Verb(Verb::RollOut)),
    row(Method::POST, "/api/rollouts/{rollout}/agreement", Ask::Verb(Verb::RollOut)),
    row(Method::GET, "/api/figures", Ask::Verb(Verb::SeeFigures)),
    row(Method::GET, "/api/trends", Ask::Verb(Verb::SeeFigures)),
    row(Method::GET, "/api/corrections", Ask::Verb(Verb::SeeFigures)),
    row(Method::GET, "/api/notices", Ask::Verb(Verb::SeeSites)),
    row(Method::POST, "/api/notices/{site}/{notice}/seen", Ask::Verb(Verb::AnswerNotice)),
    row(Method::GET, "/api/audit", Ask::Verb(Verb::SeeAudit)),
    row(Method::GET, "/api/events", Ask::Verb(Verb::SeeSites)),
    row(Method::GET, "/api/people", Ask::Verb(Verb::SeePeople)),
    row(Method::POST, "/api/people", Ask::Verb(Verb::ChangePeople)),
    row(Method::PUT, "/api/people/{login}", Ask::Verb(Verb::ChangePeople)),
    row(Method::POST, "/api/people/{login}/password", Ask::Verb(Verb::ChangePeople)),
    row(Method::GET, "/api/tokens", Ask::Verb(Verb::SeePeople)),
    row(Method::POST, "/api/tokens", Ask::Verb(Verb::ChangePeople)),
    row(Method::POST, "/api/tokens/{token}/revocation", Ask::Verb(Verb::ChangePeople)),
    // The way through an identity provider; the second is where it sends people back to.
    row(Method::GET, "/api/single-sign-on", Ask::Open),
    row(Method::GET, "/api/single-sign-on/begin", Ask::Open),
    row(Method::GET, "/api/single-sign-on/done", Ask::Open),
    row(Method::GET, "/api/openapi.json", Ask::Open),
    // What is inside proves itself to the hub.
    row(Method::GET, "/link", Ask::Open),
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
    fn who_may_only_see_only_ever_reads() {
        for (row, role) in
            ROUTES.iter().flat_map(|row| [Role::Analyst, Role::Compliance, Role::Viewer].map(|role| (row, role)))
        {
            if let Ask::Verb(verb) = row.ask
                && may(role, verb)
                && !row.path.ends_with("/plan")
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
