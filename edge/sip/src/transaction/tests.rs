//! The four tables, every row of each; whole flows are compared as ladders elsewhere.

use super::State::*;
use super::*;

/// Every (state, event) that a machine knows, one line each, in the order of the two enums; what is not there does
/// nothing. `1xx` to `Failure` come from the network for a client, from the user for a server.
fn check(step: fn(State, Input) -> Step, expected: &str) {
    let states = [Calling, Trying, Proceeding, Completed, Accepted, Confirmed, Terminated];
    let others =
        [Input::Provisional, Input::Success, Input::Failure, Input::Request, Input::Ack, Input::TransportError];
    let inputs = Timer::ALL.map(Input::Timer).into_iter().chain(others).collect::<Vec<_>>();
    let row = |state, input| {
        let (next, actions) = step(state, input)?;
        let input = match input {
            Input::Timer(timer) => format!("Timer {timer:?}"),
            other => format!("{other:?}"),
        };
        let actions: Vec<String> = actions.iter().map(|action| format!("{action:?}")).collect();
        Some(format!("{state:?}: {input} -> {next:?} {}", actions.join(" ")).trim().to_string())
    };
    let rows = states.iter().flat_map(|state| inputs.iter().filter_map(|input| row(*state, *input)));
    let found = rows.collect::<Vec<_>>().join("\n");
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert!(found.lines().eq(expected.iter().copied()), "--- found\n{found}\n--- expected\n{}", expected.join("\n"));
}

/// RFC 3261 figure 5 with RFC 6026 figure 1. Beyond the figure: a connection that breaks in Proceeding fails the call.
#[test]
fn invite_clients_follow_figure_5() {
    check(
        client_invite::step,
        "Calling: Timer A -> Calling SendRequest Start(A)
         Calling: Timer B -> Terminated TimedOut
         Calling: Provisional -> Proceeding Stop(A) Stop(B) Pass
         Calling: Success -> Accepted Stop(A) Stop(B) Start(M) Pass
         Calling: Failure -> Completed Stop(A) Stop(B) SendAck Start(D) Pass
         Calling: TransportError -> Terminated TransportFailed
         Proceeding: Provisional -> Proceeding Pass
         Proceeding: Success -> Accepted Stop(A) Stop(B) Start(M) Pass
         Proceeding: Failure -> Completed Stop(A) Stop(B) SendAck Start(D) Pass
         Proceeding: TransportError -> Terminated TransportFailed
         Completed: Timer D -> Terminated
         Completed: Failure -> Completed SendAck
         Completed: TransportError -> Terminated
         Accepted: Timer M -> Terminated
         Accepted: Success -> Accepted Pass",
    );
}

/// RFC 3261 figure 6.
#[test]
fn other_clients_follow_figure_6() {
    check(
        client_non_invite::step,
        "Trying: Timer E -> Trying SendRequest Start(E)
         Trying: Timer F -> Terminated TimedOut
         Trying: Provisional -> Proceeding Pass
         Trying: Success -> Completed Stop(E) Stop(F) Start(K) Pass
         Trying: Failure -> Completed Stop(E) Stop(F) Start(K) Pass
         Trying: TransportError -> Terminated TransportFailed
         Proceeding: Timer E -> Proceeding SendRequest Start(E)
         Proceeding: Timer F -> Terminated TimedOut
         Proceeding: Provisional -> Proceeding Pass
         Proceeding: Success -> Completed Stop(E) Stop(F) Start(K) Pass
         Proceeding: Failure -> Completed Stop(E) Stop(F) Start(K) Pass
         Proceeding: TransportError -> Terminated TransportFailed
         Completed: Timer K -> Terminated",
    );
}

/// RFC 3261 figure 7 with RFC 6026 figure 2: the user repeats its 2xx, the transaction absorbs the INVITE's copies.
#[test]
fn invite_servers_follow_figure_7_and_rfc_6026() {
    check(
        server_invite::step,
        "Proceeding: Provisional -> Proceeding SendResponse
         Proceeding: Success -> Accepted SendResponse Start(L)
         Proceeding: Failure -> Completed SendResponse Start(G) Start(H)
         Proceeding: Request -> Proceeding SendResponse
         Proceeding: TransportError -> Terminated TransportFailed
         Completed: Timer G -> Completed SendResponse Start(G)
         Completed: Timer H -> Terminated TimedOut
         Completed: Request -> Completed SendResponse
         Completed: Ack -> Confirmed Stop(G) Stop(H) Start(I)
         Completed: TransportError -> Terminated TransportFailed
         Accepted: Timer L -> Terminated
         Accepted: Success -> Accepted SendResponse
         Confirmed: Timer I -> Terminated",
    );
}

/// RFC 3261 figure 8. Beyond the figure: a connection that breaks before the answer ends it too.
#[test]
fn other_servers_follow_figure_8() {
    check(
        server_non_invite::step,
        "Trying: Provisional -> Proceeding SendResponse
         Trying: Success -> Completed SendResponse Start(J)
         Trying: Failure -> Completed SendResponse Start(J)
         Trying: TransportError -> Terminated TransportFailed
         Proceeding: Provisional -> Proceeding SendResponse
         Proceeding: Success -> Completed SendResponse Start(J)
         Proceeding: Failure -> Completed SendResponse Start(J)
         Proceeding: Request -> Proceeding SendResponse
         Proceeding: TransportError -> Terminated TransportFailed
         Completed: Timer J -> Terminated
         Completed: Request -> Completed SendResponse
         Completed: TransportError -> Terminated TransportFailed",
    );
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
