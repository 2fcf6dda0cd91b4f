//! A leg's way from its first message to talking, as a table. What each act does to SIP and media is `act`'s part;
//! a leg may end in any state, so ending is not in the table.

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    // They call us.
    /// INVITE is here; nothing final was said.
    Offered,
    /// 183 is to be sent when the port opens.
    OpeningEarly,
    /// 200 is to be sent when the port opens.
    OpeningAnswer,
    /// 183 with our SDP is out.
    Early,
    /// 200 is out, the ACK awaited.
    Accepted,
    // We call them.
    /// INVITE is to be sent when the port opens.
    Opening,
    Calling,
    Ringing,
    // A caller carried by another site.
    TunnelOpening,
    TunnelOpen,
    // All.
    Up,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    // The owner says.
    Ring,
    Early,
    Answer,
    /// The tunnel's other end is known.
    Connect,
    // The peer says.
    Progress,
    Answered,
    Confirmed,
    // Media says.
    Opened,
    /// The media process is a new one: ports are gone.
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Ask media for a port.
    OpenPort,
    /// Tell media the other end, as far as it is known.
    Connect,
    /// 180.
    Alert,
    /// 183 with SDP.
    Progress,
    /// 200 with SDP.
    Accept,
    /// INVITE with SDP.
    Invite,
    /// Audio has another address than the peer was told: say so as soon as the dialog allows.
    Reoffer,
    TellRinging,
    TellAnswered,
    TellTunnel,
}

/// The next state and what to do on the way. None: the input means nothing in this state.
pub fn step(state: State, input: Input) -> Option<(State, &'static [Act])> {
    use Act as A;
    use Input as I;
    use State as S;
    Some(match (state, input) {
        // RFC 3261 §13.3.1.1: progress
        (S::Offered, I::Ring) => (S::Offered, &[A::Alert]),
        (S::Offered, I::Early) => (S::OpeningEarly, &[A::OpenPort]),
        (S::Offered, I::Answer) => (S::OpeningAnswer, &[A::OpenPort]),
        (S::OpeningEarly, I::Ring) => (S::OpeningEarly, &[A::Alert]),
        (S::OpeningEarly, I::Opened) => (S::Early, &[A::Connect, A::Progress]),
        (S::OpeningEarly, I::Answer) => (S::OpeningAnswer, &[]),
        (S::Early, I::Answer) => (S::Accepted, &[A::Accept]),
        // §13.3.1.4: accepted, until the ACK
        (S::OpeningAnswer, I::Opened) => (S::Accepted, &[A::Connect, A::Accept]),
        (S::Accepted, I::Confirmed) => (S::Up, &[A::Connect, A::TellAnswered, A::Reoffer]),
        // §13.2: our INVITE
        (S::Opening, I::Opened) => (S::Calling, &[A::Invite]),
        (S::Calling, I::Progress) => (S::Ringing, &[A::Connect, A::TellRinging]),
        (S::Ringing, I::Progress) => (S::Ringing, &[A::Connect]),
        (S::Calling | S::Ringing, I::Answered) => (S::Up, &[A::Connect, A::TellAnswered, A::Reoffer]),
        // A tunnel has no SIP: its owner says when it is answered.
        (S::TunnelOpening, I::Opened) => (S::TunnelOpen, &[A::TellTunnel]),
        (S::TunnelOpen | S::Up, I::Connect) => (S::Up, &[A::Connect]),
        // A new media process: a new port, and then the peer must learn of it.
        (S::Offered, I::Lost) => (S::Offered, &[]),
        (any, I::Lost) => (any, &[A::OpenPort]),
        (any @ (S::Early | S::Accepted | S::Calling | S::Ringing), I::Opened) => (any, &[A::Connect]),
        (S::TunnelOpen, I::Opened) => (S::TunnelOpen, &[A::TellTunnel]),
        (S::Up, I::Opened) => (S::Up, &[A::TellTunnel, A::Connect, A::Reoffer]),
        _ => return None,
    })
}

/// How a leg in this state is ended towards its SIP peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// A final refusal of their INVITE.
    Refuse,
    /// CANCEL or BYE.
    End,
    /// The peer never heard of it.
    None,
}

impl State {
    pub fn farewell(self) -> Farewell {
        match self {
            State::Offered | State::OpeningEarly | State::OpeningAnswer | State::Early => Farewell::Refuse,
            State::Accepted | State::Calling | State::Ringing | State::Up => Farewell::End,
            State::Opening | State::TunnelOpening | State::TunnelOpen => Farewell::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks `inputs` from `state`; one line per input: the state reached and the acts, or `-`.
    fn check(mut state: State, inputs: &[Input], expected: &str) {
        let mut got = String::new();
        for input in inputs {
            match step(state, *input) {
                Some((next, acts)) => {
                    state = next;
                    got.push_str(&format!("{input:?} -> {next:?} {acts:?}\n"));
                }
                None => got.push_str(&format!("{input:?} -> -\n")),
            }
        }
        assert_eq!(got.trim(), expected.trim());
    }

    #[test]
    fn an_incoming_call_rings_is_answered_and_confirmed() {
        use Input::*;
        check(
            State::Offered,
            &[Ring, Answer, Answer, Opened, Ring, Confirmed],
            "
Ring -> Offered [Alert]
Answer -> OpeningAnswer [OpenPort]
Answer -> -
Opened -> Accepted [Connect, Accept]
Ring -> -
Confirmed -> Up [Connect, TellAnswered, Reoffer]",
        );
    }

    #[test]
    fn prompts_may_be_heard_before_the_answer() {
        use Input::*;
        check(
            State::Offered,
            &[Early, Opened, Answer, Confirmed],
            "
Early -> OpeningEarly [OpenPort]
Opened -> Early [Connect, Progress]
Answer -> Accepted [Accept]
Confirmed -> Up [Connect, TellAnswered, Reoffer]",
        );
    }

    #[test]
    fn a_dialled_call_rings_once_and_is_answered() {
        use Input::*;
        check(
            State::Opening,
            &[Progress, Opened, Progress, Progress, Answered, Answered],
            "
Progress -> -
Opened -> Calling [Invite]
Progress -> Ringing [Connect, TellRinging]
Progress -> Ringing [Connect]
Answered -> Up [Connect, TellAnswered, Reoffer]
Answered -> -",
        );
    }

    #[test]
    fn a_lost_port_is_opened_again_in_every_state_that_has_one() {
        use State::*;
        for state in
            [OpeningEarly, OpeningAnswer, Early, Accepted, Opening, Calling, Ringing, TunnelOpening, TunnelOpen, Up]
        {
            assert_eq!(step(state, Input::Lost), Some((state, [Act::OpenPort].as_slice())), "{state:?}");
            assert!(step(state, Input::Opened).is_some(), "{state:?}");
        }
        assert_eq!(step(Offered, Input::Lost), Some((Offered, [].as_slice())));
    }
}
