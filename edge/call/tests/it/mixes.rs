//! More than two who talk: what media is told when one is held, when one leaves, and when media dies.

use call::Hearing;
use media::plane::MixId;

use crate::{bench::ANN, ladders::talking};

#[test]
fn a_mix_follows_hold_the_end_of_a_leg_and_a_new_media_process_and_a_join_ends_it() {
    let (mut bench, caller, agent) = talking();
    let other = bench.dial_phone("202", None);
    bench.peer_answers(2);
    bench.skip();
    let hearing = [(caller, vec![agent, other]), (agent, vec![caller, other]), (other, vec![caller, agent])];
    let hearing = hearing.map(|(leg, hears)| Hearing { leg, hears });
    bench.calls.mix(bench.now, MixId(9), hearing.to_vec());
    bench.check(
        "media: part p1
         media: mix p1<p2+p3 p2<p1+p3 p3<p1+p2",
    );
    bench.calls.mix(bench.now, MixId(9), hearing.to_vec());
    bench.check("");
    bench.calls.hold(bench.now, agent);
    let log = {
        bench.run();
        bench.take_log()
    };
    assert!(log.contains(&"media: mix p1<p3 p3<p1".to_owned()), "{log:?}");
    bench.peer_answers_reoffer(ANN, "recvonly");
    bench.calls.resume(bench.now, agent);
    let log = {
        bench.run();
        bench.take_log()
    };
    assert!(log.contains(&"media: mix p1<p2+p3 p2<p1+p3 p3<p1+p2".to_owned()), "{log:?}");
    bench.peer_answers_reoffer(ANN, "sendrecv");
    bench.skip();
    bench.calls.hang_up(bench.now, other);
    let log = {
        bench.run();
        bench.take_log()
    };
    assert!(log.contains(&"media: mix p1<p2 p2<p1".to_owned()), "{log:?}");
    bench.calls.join(bench.now, caller, agent);
    let log = {
        bench.run();
        bench.take_log()
    };
    assert_eq!(log, ["media: mix p2<", "media: mix", "media: join p1 p2"]);
    assert!(bench.media.mixes.is_empty());
    bench.calls.hang_up(bench.now, caller);
    bench.calls.hang_up(bench.now, agent);
    bench.assert_empty();
}

#[test]
fn a_key_by_info_goes_on_in_the_audio_to_whoever_hears_it_and_in_card_mode_to_nobody() {
    let (mut bench, caller, agent) = talking();
    bench.peer_keys_by_info(ANN, 900, '7');
    let log = bench.take_log();
    assert!(log.contains(&"media: digit p1 7".to_owned()), "{log:?}");
    assert!(log.contains(&"* digit B 7".to_owned()), "{log:?}");
    bench.calls.shield(bench.now, agent, true);
    bench.skip();
    bench.peer_keys_by_info(ANN, 901, '8');
    let log = bench.take_log();
    assert!(!log.iter().any(|line| line.starts_with("media: digit")), "{log:?}");
    assert!(log.contains(&"* digit B 8".to_owned()), "the box knows it: {log:?}");
    bench.calls.shield(bench.now, agent, false);
    let other = bench.dial_phone("202", None);
    bench.peer_answers(2);
    let hearing = [(caller, vec![agent]), (agent, vec![caller, other]), (other, vec![agent, caller])];
    bench.calls.mix(bench.now, MixId(9), hearing.map(|(leg, hears)| Hearing { leg, hears }).to_vec());
    bench.skip();
    bench.peer_keys_by_info(ANN, 902, '9');
    let log = bench.take_log();
    let to: Vec<&str> = log.iter().filter_map(|line| line.strip_prefix("media: digit ")).collect();
    assert_eq!(to, ["p1 9", "p3 9"]);
}
