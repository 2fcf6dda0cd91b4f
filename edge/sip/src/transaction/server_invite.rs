//! RFC 3261 figure 7 with RFC 6026 figure 2: the INVITE server transaction. The 2xx is repeated by its user.

use super::Action::{SendResponse, Start, Stop, TimedOut, TransportFailed};
use super::State::{Accepted, Completed, Confirmed, Proceeding, Terminated};
use super::{Input, State, Step, Timer};

pub(super) fn step(state: State, input: Input) -> Step {
    Some(match (state, input) {
        (Proceeding, Input::Request | Input::Provisional) => (Proceeding, &[SendResponse]),
        (Proceeding, Input::Success) => (Accepted, &[SendResponse, Start(Timer::L)]),
        (Proceeding, Input::Failure) => (Completed, &[SendResponse, Start(Timer::G), Start(Timer::H)]),
        (Proceeding | Completed, Input::TransportError) => (Terminated, &[TransportFailed]),
        (Completed, Input::Request) => (Completed, &[SendResponse]),
        (Completed, Input::Timer(Timer::G)) => (Completed, &[SendResponse, Start(Timer::G)]),
        (Completed, Input::Timer(Timer::H)) => (Terminated, &[TimedOut]),
        (Completed, Input::Ack) => (Confirmed, &[Stop(Timer::G), Stop(Timer::H), Start(Timer::I)]),
        (Confirmed, Input::Timer(Timer::I)) => (Terminated, &[]),
        // RFC 6026 §8.7: the user's repetition of its 2xx; the peer's repeated INVITE is absorbed.
        (Accepted, Input::Success) => (Accepted, &[SendResponse]),
        (Accepted, Input::Timer(Timer::L)) => (Terminated, &[]),
        _ => return None,
    })
}
