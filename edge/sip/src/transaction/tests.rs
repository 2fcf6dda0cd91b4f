//! The tables, row by row where a row is easily got wrong; whole flows are compared as ladders elsewhere.

use super::Action::*;
use super::State::*;
use super::*;

#[test]
fn invite_clients_follow_figure_5() {
    let check =
        |state, input, expected: Step| assert_eq!(client_invite::step(state, input), expected, "{state:?} {input:?}");
    check(Calling, Input::Timer(Timer::A), Some((Calling, &[SendRequest, Start(Timer::A)])));
    check(Calling, Input::Timer(Timer::B), Some((Terminated, &[TimedOut])));
    check(Proceeding, Input::Timer(Timer::B), None);
    check(Completed, Input::Failure, Some((Completed, &[SendAck])));
    check(Completed, Input::Success, None);
    check(Accepted, Input::Success, Some((Accepted, &[Pass])));
    check(Accepted, Input::Failure, None);
}

#[test]
fn other_clients_follow_figure_6() {
    let check = |state, input, expected: Step| {
        assert_eq!(client_non_invite::step(state, input), expected, "{state:?} {input:?}")
    };
    check(Proceeding, Input::Timer(Timer::F), Some((Terminated, &[TimedOut])));
    check(Completed, Input::Success, None);
    check(Completed, Input::Timer(Timer::K), Some((Terminated, &[])));
}

#[test]
fn invite_servers_follow_figure_7_and_rfc_6026() {
    let check =
        |state, input, expected: Step| assert_eq!(server_invite::step(state, input), expected, "{state:?} {input:?}");
    check(Proceeding, Input::Request, Some((Proceeding, &[SendResponse])));
    check(Completed, Input::Request, Some((Completed, &[SendResponse])));
    check(Completed, Input::Timer(Timer::H), Some((Terminated, &[TimedOut])));
    check(Confirmed, Input::Request, None);
    check(Confirmed, Input::Ack, None);
    check(Accepted, Input::Request, None);
    check(Accepted, Input::Failure, None);
}

#[test]
fn other_servers_follow_figure_8() {
    let check = |state, input, expected: Step| {
        assert_eq!(server_non_invite::step(state, input), expected, "{state:?} {input:?}")
    };
    check(Trying, Input::Request, None);
    check(Completed, Input::Request, Some((Completed, &[SendResponse])));
    check(Completed, Input::Success, None);
}

#[test]
fn timers_have_the_times_of_table_4() {
    let check = |timer: Timer, udp: Option<u64>, tcp: Option<u64>| {
        let ms = |reliable| timer.wait(reliable, Trying, 0).map(|wait| wait.as_millis() as u64);
        assert_eq!((ms(false), ms(true)), (udp, tcp), "{timer:?}");
    };
    check(Timer::A, Some(500), None);
    check(Timer::B, Some(32_000), Some(32_000));
    check(Timer::D, Some(32_000), Some(0));
    check(Timer::E, Some(500), None);
    check(Timer::F, Some(32_000), Some(32_000));
    check(Timer::G, Some(500), None);
    check(Timer::H, Some(32_000), Some(32_000));
    check(Timer::I, Some(5_000), Some(0));
    check(Timer::J, Some(32_000), Some(0));
    check(Timer::K, Some(5_000), Some(0));
    check(Timer::L, Some(32_000), Some(32_000));
    check(Timer::M, Some(32_000), Some(32_000));
    let spaced =
        |timer: Timer| (0..6).map(|n| timer.wait(false, Completed, n).unwrap().as_millis()).collect::<Vec<_>>();
    assert_eq!(spaced(Timer::A), [500, 1_000, 2_000, 4_000, 8_000, 16_000]);
    assert_eq!(spaced(Timer::G), [500, 1_000, 2_000, 4_000, 4_000, 4_000]);
}
