//! No new contacts: of a queue, of the site; where the caller goes instead, and who is not touched.

use model::config::Config;

use crate::{
    branch::{self, id},
    scene::{Scene, check},
    scenes::everything_adds_up,
};

const MAIN: &str = "
label: Main
start: to-sales
steps:
  to-sales: { do: queue, queue: sales, otherwise: sorry }
  sorry: { do: play, prompt: sorry, next: end }
  end: { do: hangup }
";

fn branch(flow: &str) -> Config {
    let mut config = branch::config();
    config.flows.insert(id("main"), flow::text::parse(flow).expect("a flow"));
    config
}

#[test]
fn a_closed_queue_takes_nobody_new_and_keeps_who_waits() {
    let mut scene = Scene::new(branch::config());
    check(&mut scene, "@1 a calls 5550100\n@2 a confirms\n@3 a heard", &["Queued sales", "repeat jazz to a"]);
    let told = check(&mut scene, "@5 configure queue sales closes\n@6 b calls 5550100\n@7 b confirms\n@8 b heard", &[]);
    assert!(told.contains("play closed to b") && !told.contains("Queued"), "{told}");
    check(&mut scene, "@9 b heard", &["hang up b", "Ended Flow"]);
    let line = &scene.board().queues.into_iter().find(|line| line.queue == id("sales")).expect("a queue");
    assert_eq!((line.intake.word(), line.closed, line.waiting), ("closed", true, 1));
    check(&mut scene, "@10 desk ann sign-in\n@11 desk ann ready", &["Offered ann", "dial 201"]);
    check(&mut scene, "@12 201 answers", &["Answered by ann", "join a and 201"]);
    check(
        &mut scene,
        "@20 configure queue sales opens\n@21 c calls 5550100\n@22 c confirms\n@23 c heard",
        &["Queued sales", "repeat jazz to c"],
    );
    everything_adds_up(&scene);
}

#[test]
fn a_closed_site_closes_every_queue_and_no_other_site_s_caller_is_taken() {
    let mut scene = Scene::new(branch::config());
    scene.play("@0 link up\n@1 desk ann sign-in\n@2 desk ann ready");
    check(&mut scene, "@3 configure the site closes\n@4 south asks sales", &["to south o77: Refuse"]);
    let told = check(&mut scene, "@5 a calls 5550200\n@6 a confirms\n@7 a presses 2", &["play closed to a"]);
    assert!(!told.contains("Offered"), "{told}");
    assert!(scene.board().closed && scene.board().queues.iter().all(|line| line.intake.word() == "closed"));
    // A call to a person is no contact of a queue.
    check(&mut scene, "@8 203 calls 202\n@9 202 answers", &["join 203 and 202"]);
}

#[test]
fn the_flow_says_where_a_caller_goes_whom_the_queue_does_not_take() {
    let mut scene = Scene::new(branch(MAIN));
    check(&mut scene, "@1 a calls 5550100\n@2 a confirms", &["FlowEntered main/to-sales", "Queued sales"]);
    let told = check(
        &mut scene,
        "@3 configure queue sales closes\n@4 b calls 5550100\n@5 b confirms",
        &["FlowEntered main/to-sales", "FlowEntered main/sorry", "play sorry to b"],
    );
    assert!(!told.contains("Queued") && !told.contains("play closed"), "{told}");
    check(&mut scene, "@6 b heard", &["FlowEntered main/end", "Ended Flow"]);
    // Served by the queue, the caller does not come back by the way of those who were not.
    check(&mut scene, "@7 desk ann sign-in\n@8 desk ann ready\n@9 201 answers", &["join a and 201"]);
    check(&mut scene, "@20 201 hangs up", &["Ended Agent", "hang up a"]);
    everything_adds_up(&scene);
}

#[test]
fn a_flow_asks_first_whether_the_queue_takes_contacts() {
    let asks = "
label: Main
start: takes
steps:
  takes: { do: if, all: [{ is: takes, queue: sales }], then: welcome, otherwise: sorry }
  welcome: { do: play, prompt: welcome, next: end }
  sorry: { do: play, prompt: sorry, next: end }
  end: { do: hangup }
";
    let mut scene = Scene::new(branch(asks));
    check(&mut scene, "@1 a calls 5550100\n@2 a confirms", &["play welcome to a"]);
    check(&mut scene, "@3 configure the site closes\n@4 b calls 5550100\n@5 b confirms", &["play sorry to b"]);
}
