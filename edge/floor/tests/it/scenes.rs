//! One test per ladder. `LADDERS=write` writes what was played into the files, to be read before it is believed.

use std::path::Path;

use floor::cdr::{Fold, Share, rebuild};

use crate::{branch, scene::Scene};

#[track_caller]
fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/ladders").join(format!("{name}.txt"));
    let expected = std::fs::read_to_string(&path).expect("a ladder");
    let mut scene = Scene::new(branch::config());
    scene.play(&expected);
    everything_adds_up(&scene);
    if std::env::var("LADDERS").is_ok_and(|how| how == "write") {
        std::fs::write(&path, &scene.ladder).expect("a writable ladder");
    }
    assert!(scene.ladder == expected, "{name} is\n{}", scene.ladder);
}

/// What must hold on every ladder: one end per contact, and the records of the day are those of the ledger.
#[track_caller]
pub fn everything_adds_up(scene: &Scene) {
    let ends = |contact| {
        let ended = |fact: &&model::fact::Fact| {
            fact.contact == Some(contact) && matches!(fact.kind, model::fact::Kind::Ended { .. })
        };
        scene.facts.iter().filter(ended).count()
    };
    for contact in scene.facts.iter().filter_map(|fact| fact.contact) {
        assert!(ends(contact) <= 1, "a contact ends once\n{}", scene.ladder);
    }
    for cdr in rebuild(&scene.facts) {
        let last = scene.cdrs.iter().rev().find(|told| told.contact == cdr.contact);
        assert_eq!(last, Some(&cdr), "the record told last is the record rebuilt\n{}", scene.ladder);
        let mut facts = scene.facts.iter().filter(|fact| fact.contact == Some(cdr.contact)).peekable();
        let mut fold = Fold::new(cdr.contact, facts.peek().expect("a fact").at);
        facts.for_each(|fact| fold.apply(fact.at, &fact.kind));
        let sum = |of: fn(&Share) -> u64| fold.shares().values().map(of).sum::<u64>();
        assert_eq!(sum(|share| share.talk_ms), cdr.talk_ms, "agents' shares add up\n{}", scene.ladder);
        assert_eq!(sum(|share| share.hold_ms), cdr.hold_ms, "agents' shares add up\n{}", scene.ladder);
        if let Some(wrap_up_ms) = cdr.wrap_up_ms {
            assert_eq!(sum(|share| share.wrap_up_ms), wrap_up_ms, "agents' shares add up\n{}", scene.ladder);
        }
    }
}

macro_rules! ladders {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            check(stringify!($name));
        }
    )*};
}

ladders! {
    a_caller_is_greeted_queued_answered_recorded_and_written_up
    a_caller_gives_up_in_the_queue
    a_customer_comes_back_to_the_agent_it_knows
    a_caller_gives_up_while_a_phone_rings
    a_phone_that_nobody_answers_passes_the_caller_on
    a_busy_phone_and_an_unreachable_one_pass_the_caller_on
    an_agent_holds_by_desk_and_by_phone
    a_caller_is_transferred_to_another_phone
    a_transfer_that_fails_brings_the_caller_back_to_the_queue
    a_caller_is_transferred_to_another_queue
    another_site_takes_the_caller_and_the_path_breaks
    another_site_takes_the_caller_until_the_agent_there_hangs_up
    sites_that_do_not_help_are_asked_in_turn
    a_local_agent_is_faster_than_the_other_site
    we_help_another_site
    we_refuse_to_help_when_we_may_not_or_cannot
    closed_hours_are_told_and_the_call_ends
    wrong_keys_and_silence_end_in_goodbye
    a_configuration_changes_in_mid_call
    a_queue_is_removed_under_its_callers
    an_emergency_call_goes_out_whatever_else
    the_centre_calls_back
    a_phone_calls_another_and_a_busy_one
    a_phone_calls_out
    the_desk_dials_and_the_phone_rings_first
    an_agent_signs_out_in_mid_call
    a_number_that_nothing_answers_is_refused
    a_recording_that_fails_is_told_and_begun_again
    a_phone_that_unregisters_makes_its_agent_not_ready
    the_desk_is_refused_what_is_not_possible
    the_position_is_told_and_the_music_goes_on
    a_queue_whose_own_hours_are_closed_says_so
    a_phone_may_not_transfer_outside
    a_caller_leaves_during_a_transfer
    a_phone_consults_and_transfers_attended
    a_call_out_is_given_to_a_colleague_attended
    a_blind_transfer_that_nobody_takes_comes_back_to_the_phone
    a_phone_that_hung_up_on_its_transfer_is_out_of_it
    a_ringing_phone_is_picked_up_by_another
    the_link_goes_down_under_a_guest
    an_agent_is_removed_in_mid_call
    a_party_outside_that_holds_is_no_hold_of_ours
    a_card_is_keyed_in_through_hold_and_transfer
    a_card_entry_that_nobody_ends_ends_by_itself
    an_agent_consults_a_colleague_and_all_three_talk
    an_agent_hands_over_by_hanging_up_on_a_consultation
    a_colleague_who_does_not_answer_brings_the_caller_back
    a_supervisor_listens_whispers_and_barges_in
    company_is_refused_where_it_may_not_be
    a_transfer_ends_the_monitoring
    a_page_that_is_loaded_anew_has_its_caller_back
    a_page_that_stays_away_is_let_go
    a_caller_gives_up_while_the_page_is_away
    a_call_out_waits_for_its_page
    an_agent_hangs_up_for_the_page_that_is_away
    a_gold_customer_is_looked_up_and_put_through
    a_colleague_who_does_not_take_the_caller_gives_it_back_to_the_flow
    another_system_that_says_nothing_is_done_without
    a_caller_is_asked_how_it_was_when_the_agent_has_hung_up
    a_caller_who_leaves_a_question_behind
    an_agent_needs_more_time_for_the_wrap_up
}
