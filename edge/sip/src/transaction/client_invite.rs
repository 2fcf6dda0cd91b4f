//! RFC 3261 figure 5 with RFC 6026 figure 1: the INVITE client transaction.

use super::Action::{Pass, SendAck, SendRequest, Start, Stop, TimedOut, TransportFailed};
use super::State::{Accepted, Calling, Completed, Proceeding, Terminated};
use super::{Input, State, Step, Timer};

pub(super) fn step(state: State, input: Input) -> Step {
    Some(match (state, input) {
        (Calling, Input::Timer(Timer::A)) => (Calling, &[SendRequest, Start(Timer::A)]),
        (Calling, Input::Timer(Timer::B)) => (Terminated, &[TimedOut]),
        (Calling | Proceeding, Input::TransportError) => (Terminated, &[TransportFailed]),
        (Calling, Input::Provisional) => (Proceeding, &[Stop(Timer::A), Stop(Timer::B), Pass]),
        (Calling | Proceeding, Input::Success) => (Accepted, &[Stop(Timer::A), Stop(Timer::B), Start(Timer::M), Pass]),
        (Calling | Proceeding, Input::Failure) => {
            (Completed, &[Stop(Timer::A), Stop(Timer::B), SendAck, Start(Timer::D), Pass])
        }
        (Proceeding, Input::Provisional) => (Proceeding, &[Pass]),
        (Completed, Input::Failure) => (Completed, &[SendAck]),
        (Completed, Input::Timer(Timer::D)) => (Terminated, &[]),
        // The user was told of the failure already: the ACK's fate changes nothing for it.
        (Completed, Input::TransportError) => (Terminated, &[]),
        // RFC 6026 §8.4: every 2xx goes up, also those of other forks.
        (Accepted, Input::Success) => (Accepted, &[Pass]),
        (Accepted, Input::Timer(Timer::M)) => (Terminated, &[]),
        _ => return None,
    })
}
