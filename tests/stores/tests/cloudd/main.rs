//! The console's own tests (`cloud/cloudd/tests/it`) on PostgreSQL.

#[path = "../../../../cloud/cloudd/tests/it/access.rs"]
mod access;
#[path = "../../../../cloud/cloudd/tests/it/boxes.rs"]
mod boxes;
#[path = "../../../../cloud/cloudd/tests/it/browser.rs"]
mod browser;
#[path = "../../../../cloud/cloudd/tests/it/configuration.rs"]
mod configuration;
#[path = "../../../../cloud/cloudd/tests/it/drills.rs"]
mod drills;
#[path = "../../../../cloud/cloudd/tests/it/events.rs"]
mod events;
#[path = "../../../../cloud/cloudd/tests/it/figures.rs"]
mod figures;
#[path = "../../../../cloud/cloudd/tests/it/history.rs"]
mod history;
#[path = "../../../../cloud/cloudd/tests/it/machine.rs"]
mod machine;
#[path = "../../../../cloud/cloudd/tests/it/notices.rs"]
mod notices;
#[path = "../../../../cloud/cloudd/tests/it/page.rs"]
mod page;
#[path = "../../../../cloud/cloudd/tests/it/people.rs"]
mod people;
#[path = "../../../../cloud/cloudd/tests/it/rollouts.rs"]
mod rollouts;
#[path = "../../../../cloud/cloudd/tests/it/session.rs"]
mod session;
#[path = "../../../../cloud/cloudd/tests/it/shelf.rs"]
mod shelf;
#[path = "../../../../cloud/cloudd/tests/it/single_sign_on.rs"]
mod single_sign_on;
#[path = "../../../../cloud/cloudd/tests/it/support.rs"]
mod support;
#[path = "../../../../cloud/cloudd/tests/it/tokens.rs"]
mod tokens;

pub use stores::unguard;

pub fn store(_: &std::path::Path) -> db::Db {
    stores::store()
}
