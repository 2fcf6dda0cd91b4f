//! RFC 3261 figure 8: the non-INVITE server transaction.

use super::Action::{SendResponse, Start, TransportFailed};
use super::State::{Completed, Proceeding, Terminated, Trying};
use super::{Input, State, Step, Timer};

pub(super) fn step(state: State, input: Input) -> Step {
    Some(match (state, input) {
        (Trying | Proceeding, Input::Provisional) => (Proceeding, &[SendResponse]),
        (Trying | Proceeding, Input::Success | Input::Failure) => (Completed, &[SendResponse, Start(Timer::J)]),
        (Proceeding | Completed, Input::Request) => (state, &[SendResponse]),
        (Completed, Input::Timer(Timer::J)) => (Terminated, &[]),
        (Trying | Proceeding | Completed, Input::TransportError) => (Terminated, &[TransportFailed]),
        _ => return None,
    })
}
