//! RFC 3261 figure 6: the non-INVITE client transaction.

use super::Action::{Pass, SendRequest, Start, Stop, TimedOut, TransportFailed};
use super::State::{Completed, Proceeding, Terminated, Trying};
use super::{Input, State, Step, Timer};

pub(super) fn step(state: State, input: Input) -> Step {
    Some(match (state, input) {
        (Trying, Input::Timer(Timer::E)) => (Trying, &[SendRequest, Start(Timer::E)]),
        (Trying | Proceeding, Input::Timer(Timer::F)) => (Terminated, &[TimedOut]),
        (Trying | Proceeding, Input::TransportError) => (Terminated, &[TransportFailed]),
        (Trying, Input::Provisional) => (Proceeding, &[Pass]),
        (Trying | Proceeding, Input::Success | Input::Failure) => {
            (Completed, &[Stop(Timer::E), Stop(Timer::F), Start(Timer::K), Pass])
        }
        (Proceeding, Input::Timer(Timer::E)) => (Proceeding, &[SendRequest, Start(Timer::E)]),
        (Proceeding, Input::Provisional) => (Proceeding, &[Pass]),
        (Completed, Input::Timer(Timer::K)) => (Terminated, &[]),
        _ => return None,
    })
}
