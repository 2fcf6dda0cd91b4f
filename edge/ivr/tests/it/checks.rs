//! What the static check says of a flow, problem by problem.

use std::collections::BTreeSet;

use ivr::check::{Problem, check};

use crate::flow::{flow, step};

fn circle(steps: &[&str]) -> Problem {
    Problem::Loop { steps: steps.iter().map(|id| step(id)).collect::<BTreeSet<_>>() }
}

#[test]
fn each_problem_is_found_and_nothing_else() {
    let dangling = |from: Option<&str>, to: &str| Problem::Dangling { from: from.map(step), to: step(to) };
    let table = [
        ("a play x b\nb queue sales", vec![]),
        ("a menu x 5s 2 b 1=a 2=b\nb hangup", vec![]),
        ("a menu x 5s 2 a 1=a", vec![]),
        ("a play x b", vec![dangling(Some("a"), "b")]),
        ("a open h b c\nb hangup", vec![dangling(Some("a"), "c")]),
        ("a menu x 5s 2 c 1=b\nb hangup", vec![dangling(Some("a"), "c")]),
        ("a hangup\nb hangup", vec![Problem::Unreachable { step: step("b") }]),
        ("a play x a", vec![circle(&["a"])]),
        ("a play x b\nb play y a", vec![circle(&["a", "b"])]),
        ("a play x b\nb open h c d\nc play y b\nd hangup", vec![circle(&["b", "c"])]),
        // The circle goes through a menu: the caller is waited for.
        ("a play x b\nb menu y 5s 2 a 1=a", vec![]),
        ("a menu x 5s 2 b\nb hangup", vec![Problem::NoChoice { step: step("a") }]),
        ("a menu x 5s 2 b x=b\nb hangup", vec![Problem::Key { step: step("a"), key: 'x' }]),
        ("a play x b\nb hangup\nc play y c", vec![circle(&["c"]), Problem::Unreachable { step: step("c") }]),
    ];
    for (document, expected) in table {
        assert_eq!(check(&flow(document)), expected, "{document}");
    }
    let mut headless = flow("a hangup");
    headless.start = step("z");
    assert_eq!(check(&headless), [dangling(None, "z"), Problem::Unreachable { step: step("a") }]);
}
