//! The desk's addresses, by noun. What may pass at all is decided in `door`.

mod card;
pub mod chat;
mod contacts;
mod drills;
mod egress;
mod forward;
mod help;
mod messages;
mod page;
mod phone;
mod phones;
mod recordings;
mod reports;
mod session;
mod settings;
pub mod tickets;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};

use crate::{Desk, door, fault::Refusal, socket};

/// Largest request body, in bytes.
pub const BODY_LEN_MAX: usize = 64 * 1024;

/// Everything the desk answers. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that sign-in
/// attempts are counted per source.
pub fn router(desk: Desk) -> Router {
    Router::new()
        .route("/api/session", post(session::begin).delete(session::end))
        .route("/api/help", get(help::show))
        .route("/api/me", get(session::me))
        .route("/api/desk", get(socket::open))
        .route("/api/phone", post(phone::lend).delete(phone::give_back))
        .route("/api/phone/sip", get(phone::speak))
        .route("/api/forward", get(forward::show).post(forward::set))
        .route("/api/phones", get(phones::list))
        .route("/api/phones/{phone}/enrol", post(phones::enrol))
        .route("/api/phones/{phone}/rotate", post(phones::rotate))
        .route("/api/phones/{phone}/dismiss", post(phones::dismiss))
        .route("/api/contacts", get(contacts::list))
        .route("/api/messages", get(messages::list))
        .route("/api/messages/{recording}/done", post(messages::done))
        .route("/api/contacts/{contact}/card", get(card::show))
        .route("/api/contacts/{contact}/note", post(card::write))
        .route("/api/contacts/{contact}/disposition", post(contacts::correct))
        .route("/api/contacts/{contact}/tickets", get(tickets::of_contact))
        .route("/api/chat", get(chat::rooms))
        .route("/api/chat/{room}", get(chat::messages).post(chat::say))
        .route("/api/chat/{room}/read", post(chat::read))
        .route("/api/tickets", get(tickets::list).post(tickets::open))
        .route("/api/tickets/{ticket}", get(tickets::show).post(tickets::act))
        .route("/api/ticket-terms", get(tickets::terms).post(tickets::set_terms))
        .route("/api/recordings/{file}", get(recordings::show))
        .route("/api/egress", get(egress::sums))
        .route("/api/egress/lines", get(egress::lines))
        .route("/api/egress/file", get(egress::export))
        .route("/api/reports", get(reports::show))
        .route("/api/reports/file", get(reports::file))
        .route("/api/drills", get(drills::show))
        .route("/api/config", get(settings::show))
        .route("/api/changes", post(settings::change))
        .route("/api/merge", get(settings::merge_report).post(settings::decide))
        .route("/api/{*rest}", get(nothing).post(nothing).put(nothing).delete(nothing))
        .fallback(page::serve)
        .layer(DefaultBodyLimit::max(BODY_LEN_MAX))
        .layer(middleware::from_fn_with_state(desk.clone(), door::writes))
        .layer(middleware::from_fn(door::headers))
        .with_state(desk)
}

async fn nothing() -> Refusal {
    Refusal::NotFound
}
