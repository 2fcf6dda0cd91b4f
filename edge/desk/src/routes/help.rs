//! Whether a call for help can go out. Told to anybody who can see the page: who stands before a box that cannot must
//! know it, and nobody may have an account on it yet.

use axum::{Json, extract::State};

use crate::{Desk, api};

pub async fn show(State(desk): State<Desk>) -> Json<api::HelpIs> {
    Json(api::HelpIs { help: desk.floor.board().borrow().board.help.word() })
}
