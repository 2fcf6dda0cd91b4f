//! Why agents are not ready, and phones that are away for a moment.

use model::{
    config::Config,
    fact::{AgentState, Pause},
};

use crate::{
    branch::{self, id},
    scene::{Scene, check},
};

fn with_reasons() -> Config {
    let mut config = branch::config();
    config.site.pauses = [(id("lunch"), "Lunch".into()), (id("training"), "Training".into())].into();
    config
}

fn ann(scene: &Scene) -> (AgentState, Option<Pause>) {
    let line = scene.board().agents.into_iter().find(|line| line.agent == id("ann")).expect("an agent");
    (line.state, line.pause)
}

#[test]
fn where_the_site_has_reasons_one_of_them_is_named_and_told() {
    let mut scene = Scene::new(with_reasons());
    check(&mut scene, "@1 desk ann sign-in\n@2 desk ann ready", &["ann is NotReady\n", "ann is Ready"]);
    check(&mut scene, "@3 desk ann not-ready", &["refused: name one of the site's reasons"]);
    check(&mut scene, "@4 desk ann not-ready coffee", &["refused: name one"]);
    assert_eq!(ann(&scene), (AgentState::Ready, None));
    check(&mut scene, "@5 desk ann not-ready lunch", &["ann is NotReady, Code(lunch)"]);
    check(&mut scene, "@6 desk ann not-ready training", &["ann is NotReady, Code(training)"]);
    assert_eq!(ann(&scene), (AgentState::NotReady, Some(Pause::Code(id("training")))));
    // A call of the agent's own is in between.
    check(&mut scene, "@7 201 calls 202\n@8 201 hangs up", &["ann is Talking", "ann is NotReady, Code(training)"]);
    check(&mut scene, "@9 desk ann ready", &["ann is Ready"]);
    assert_eq!(ann(&scene), (AgentState::Ready, None));
}

#[test]
fn a_reason_that_is_named_in_mid_call_is_that_of_the_rest_that_follows() {
    let mut scene = Scene::new(with_reasons());
    scene.play("@1 desk ann sign-in\n@2 desk ann ready\n@3 a calls 5550100\n@4 a confirms\n@5 a heard\n@6 201 answers");
    check(&mut scene, "@7 desk ann not-ready lunch", &[]);
    assert_eq!(ann(&scene), (AgentState::Talking, None));
    check(&mut scene, "@8 a hangs up\n@20", &["ann is WrapUp", "ann is NotReady, Code(lunch)"]);
}

#[test]
fn an_agent_who_does_not_answer_is_told_why_no_call_comes() {
    let mut scene = Scene::new(branch::config());
    scene.play("@1 desk ann sign-in\n@2 desk ann ready\n@3 a calls 5550100\n@4 a confirms\n@5 a heard");
    check(&mut scene, "@60", &["OfferEnded ann TimedOut", "ann is NotReady, Missed"]);
    check(&mut scene, "@61 desk ann ready\n@62 desk ann not-ready", &["ann is Offered", "ann is NotReady\n"]);
}

#[test]
fn who_was_ready_is_ready_again_when_the_page_is_back_soon() {
    let mut scene = Scene::new(with_reasons());
    scene.play("@1 201 opens its page\n@2 desk ann sign-in\n@3 desk ann ready");
    check(&mut scene, "@10 201 unregisters", &["ann is NotReady, PhoneAway"]);
    check(&mut scene, "@12 201 registers", &["ann is Ready"]);
    check(&mut scene, "@20 201 unregisters\n@41 201 registers", &["ann is NotReady, PhoneAway"]);
    assert_eq!(ann(&scene), (AgentState::NotReady, Some(Pause::PhoneAway)), "away for too long: somebody looks first");
    scene.play("@42 desk ann ready\n@43 201 unregisters\n@44 desk ann not-ready lunch\n@45 201 registers");
    assert_eq!(ann(&scene), (AgentState::NotReady, Some(Pause::Code(id("lunch")))), "the agent's word is the last");
}
