//! What a flow shows to whoever gets the call: what it says so of, and nothing else that the caller keyed in.

use model::config::Config;

use crate::{
    branch::{self, id},
    scene::Scene,
    scenes::everything_adds_up,
};

const MAIN: &str = "
label: Main
start: account
variables: { account: '', pin: '', gold: false, said: '' }
shown: { account: Account, gold: Gold, said: Said }
steps:
  account: { do: digits, prompt: account, into: account, min: 2, max: 4, wait_s: 5, tries: 1, next: pin, otherwise: end }
  pin: { do: digits, prompt: pin, into: pin, min: 2, max: 2, wait_s: 5, tries: 1, next: gold, otherwise: end }
  gold: { do: set, variable: gold, to: true, next: to-sales }
  to-sales: { do: queue, queue: sales }
  end: { do: hangup }
";

fn config() -> Config {
    let mut config = branch::config();
    config.flows.insert(id("main"), flow::text::parse(MAIN).expect("a flow"));
    config
}

#[test]
fn the_agent_is_shown_what_the_flow_says_so_of_and_no_secret() {
    let mut scene = Scene::new(config());
    scene.play("@1 a calls 5550100\n@2 a confirms\n@3 a presses 4\n@3 a presses 7\n@3 a presses #");
    scene.play("@4 a presses 9\n@4 a presses 9");
    assert!(scene.ladder.contains("Queued sales"), "{}", scene.ladder);
    assert!(scene.ladder.contains(", Account: 47, Gold: ✓\n"), "{}", scene.ladder);
    assert!(!scene.ladder.contains("99") && !scene.ladder.contains("Said"), "{}", scene.ladder);
    everything_adds_up(&scene);
}

#[test]
fn a_promise_of_a_call_back_keeps_what_was_shown() {
    let mut config = config();
    let flow = MAIN.replace("do: queue, queue: sales", "do: callback, queue: sales, next: end, otherwise: end");
    config.flows.insert(id("main"), flow::text::parse(&flow).expect("a flow"));
    let mut scene = Scene::new(config);
    scene.play("@1 a calls 5550100\n@2 a confirms\n@3 a presses 4\n@3 a presses 7\n@3 a presses #");
    scene.play("@4 a presses 9\n@4 a presses 9\n@5");
    assert!(scene.ladder.contains("CallbackPromised sales"), "{}", scene.ladder);
    assert_eq!(scene.ladder.matches("Account: 47, Gold: ✓").count(), 2, "{}", scene.ladder);
}
