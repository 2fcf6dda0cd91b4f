//! What the floor needs of its telephone lines: legs to answer, dial, join and play to. `call::Calls` is what it runs
//! on; the contact centre's own rules are tested on a double that speaks in plain text.

use std::{collections::BTreeSet, net::SocketAddr, time::Instant};

use call::{
    Calls, Hearing, Help, Secrets,
    leg::{Cause, Destination, Dial, Input, Output, Party},
    plane::{MixId, PlayId},
    siprec::About,
    will::{Heir, Left},
};
use model::{
    Extension, HoursId, LanguageId, LegId, Millis, Number, OverflowId, PromptId, RecordingId, TrunkId, config::Config,
    sound::Sound,
};

/// One call of any of these may bring outputs; a command for a leg that has ended does nothing.
pub trait Lines {
    fn handle_input(&mut self, now: Instant, input: Input);
    fn handle_timeout(&mut self, now: Instant);
    fn poll_timeout(&self) -> Option<Instant>;
    fn poll_output(&mut self) -> Option<Output>;
    fn configure(&mut self, now: Instant, config: &Config, secrets: Secrets);

    fn ring(&mut self, now: Instant, leg: LegId);
    fn early(&mut self, now: Instant, leg: LegId);
    fn answer(&mut self, now: Instant, leg: LegId);
    fn reject(&mut self, now: Instant, leg: LegId, cause: Cause);
    fn dial(&mut self, now: Instant, dial: Dial) -> LegId;
    fn hang_up(&mut self, now: Instant, leg: LegId);
    fn join(&mut self, now: Instant, a: LegId, b: LegId);
    /// Who hears whom among several; none: the mix is over.
    fn mix(&mut self, now: Instant, mix: MixId, hearing: Vec<Hearing>);
    fn part(&mut self, now: Instant, leg: LegId);
    fn hold(&mut self, now: Instant, leg: LegId);
    fn resume(&mut self, now: Instant, leg: LegId);
    /// From here on prompts to this leg are of this language, where there are such.
    fn speak(&mut self, _now: Instant, _leg: LegId, _language: LanguageId) {}
    /// Plays once; `Event::Played` follows.
    fn play(&mut self, now: Instant, leg: LegId, sounds: Vec<Sound>) -> PlayId;
    /// Plays over and over, until stopped or replaced.
    fn repeat(&mut self, now: Instant, leg: LegId, prompts: Vec<PromptId>) -> PlayId;
    fn stop(&mut self, now: Instant, leg: LegId);
    fn record(&mut self, now: Instant, recording: RecordingId, leg: LegId);
    /// Has a recording server of the customer's own take down what this recording does, where one is to; it ends and
    /// pauses with the recording. `wall` is what the clock shows.
    fn copy(&mut self, _now: Instant, _wall: Millis, _recording: RecordingId, _leg: LegId, _about: &About) {}
    /// RTP ports that copies may take: those that no call needs.
    fn spare_ports(&mut self, _ports: usize) {}
    fn record_pause(&mut self, now: Instant, recording: RecordingId, paused: bool);
    fn record_end(&mut self, now: Instant, recording: RecordingId);
    /// Card mode: what the leg's party keys in is neither heard nor recorded.
    fn shield(&mut self, now: Instant, leg: LegId, shielded: bool);
    fn transfer_accept(&mut self, now: Instant, leg: LegId);
    fn transfer_refuse(&mut self, now: Instant, leg: LegId);
    fn tunnel(&mut self, now: Instant, overflow: OverflowId) -> LegId;
    fn tunnel_connect(&mut self, now: Instant, leg: LegId, peer: SocketAddr);

    /// Legs whose wills may have to be written anew.
    fn touched(&mut self) -> BTreeSet<LegId> {
        BTreeSet::new()
    }
    /// Writes a leg's will; None: nobody is to take it over.
    fn entrust(&mut self, _leg: LegId, _owner: Option<String>) {}
    /// Takes over what an earlier life left.
    fn adopt(&mut self, _now: Instant, _left: Vec<Left>) -> Vec<Heir> {
        Vec::new()
    }

    /// Who is meant by these digits, dialled by this party.
    fn route(&self, from: &Party, dialled: &str) -> Destination;
    /// The trunks that a call out may take, best first; for an emergency call to this number, or an ordinary one.
    fn trunks(&self, from: &Party, emergency: Option<&Number>) -> Vec<TrunkId>;
    /// Whether a call for help can go out.
    fn help(&self) -> Help;
    /// The hours that are not open at this moment: trunks that keep them carry no ordinary call out.
    fn close_hours(&mut self, _closed: BTreeSet<HoursId>) {}
    /// So many messages wait for whom this phone belongs to.
    fn mailbox(&mut self, _now: Instant, _phone: &Extension, _waiting: u32) {}
    /// Can the phone be rung?
    fn is_registered(&self, phone: &Extension) -> bool;
    /// Is the party of this answered leg in a browser, which may be loaded anew in mid-call?
    fn is_browser(&self, _leg: LegId) -> bool {
        false
    }
    /// Can the phone be rung in a browser?
    fn has_browser(&self, _phone: &Extension) -> bool {
        false
    }
}

impl Lines for Calls {
    fn handle_input(&mut self, now: Instant, input: Input) {
        Calls::handle_input(self, now, input);
    }
    fn handle_timeout(&mut self, now: Instant) {
        Calls::handle_timeout(self, now);
    }
    fn poll_timeout(&self) -> Option<Instant> {
        Calls::poll_timeout(self)
    }
    fn poll_output(&mut self) -> Option<Output> {
        Calls::poll_output(self)
    }
    fn configure(&mut self, now: Instant, config: &Config, secrets: Secrets) {
        Calls::configure(self, now, config, secrets);
    }
    fn ring(&mut self, now: Instant, leg: LegId) {
        Calls::ring(self, now, leg);
    }
    fn early(&mut self, now: Instant, leg: LegId) {
        Calls::early(self, now, leg);
    }
    fn answer(&mut self, now: Instant, leg: LegId) {
        Calls::answer(self, now, leg);
    }
    fn reject(&mut self, now: Instant, leg: LegId, cause: Cause) {
        Calls::reject(self, now, leg, cause);
    }
    fn dial(&mut self, now: Instant, dial: Dial) -> LegId {
        Calls::dial(self, now, dial)
    }
    fn hang_up(&mut self, now: Instant, leg: LegId) {
        Calls::hang_up(self, now, leg);
    }
    fn join(&mut self, now: Instant, a: LegId, b: LegId) {
        Calls::join(self, now, a, b);
    }
    fn mix(&mut self, now: Instant, mix: MixId, hearing: Vec<Hearing>) {
        Calls::mix(self, now, mix, hearing);
    }
    fn part(&mut self, now: Instant, leg: LegId) {
        Calls::part(self, now, leg);
    }
    fn hold(&mut self, now: Instant, leg: LegId) {
        Calls::hold(self, now, leg);
    }
    fn resume(&mut self, now: Instant, leg: LegId) {
        Calls::resume(self, now, leg);
    }
    fn speak(&mut self, _now: Instant, leg: LegId, language: LanguageId) {
        Calls::speak(self, leg, language);
    }
    fn play(&mut self, now: Instant, leg: LegId, sounds: Vec<Sound>) -> PlayId {
        Calls::play(self, now, leg, sounds, false)
    }
    fn repeat(&mut self, now: Instant, leg: LegId, prompts: Vec<PromptId>) -> PlayId {
        Calls::play(self, now, leg, prompts, true)
    }
    fn stop(&mut self, now: Instant, leg: LegId) {
        Calls::stop(self, now, leg);
    }
    fn record(&mut self, now: Instant, recording: RecordingId, leg: LegId) {
        Calls::record(self, now, recording, leg);
    }
    fn copy(&mut self, now: Instant, wall: Millis, recording: RecordingId, leg: LegId, about: &About) {
        Calls::copy(self, now, wall, recording, leg, about);
    }
    fn spare_ports(&mut self, ports: usize) {
        Calls::spare_ports(self, ports);
    }
    fn record_pause(&mut self, now: Instant, recording: RecordingId, paused: bool) {
        Calls::record_pause(self, now, recording, paused);
    }
    fn record_end(&mut self, now: Instant, recording: RecordingId) {
        Calls::record_end(self, now, recording);
    }
    fn shield(&mut self, now: Instant, leg: LegId, shielded: bool) {
        Calls::shield(self, now, leg, shielded);
    }
    fn transfer_accept(&mut self, now: Instant, leg: LegId) {
        Calls::transfer_answer(self, now, leg, true);
    }
    fn transfer_refuse(&mut self, now: Instant, leg: LegId) {
        Calls::transfer_answer(self, now, leg, false);
    }
    fn tunnel(&mut self, now: Instant, overflow: OverflowId) -> LegId {
        Calls::tunnel(self, now, overflow)
    }
    fn tunnel_connect(&mut self, now: Instant, leg: LegId, peer: SocketAddr) {
        Calls::tunnel_connect(self, now, leg, peer);
    }
    fn touched(&mut self) -> BTreeSet<LegId> {
        Calls::touched(self)
    }
    fn entrust(&mut self, leg: LegId, owner: Option<String>) {
        Calls::entrust(self, leg, owner);
    }
    fn adopt(&mut self, now: Instant, left: Vec<Left>) -> Vec<Heir> {
        Calls::adopt(self, now, left)
    }
    fn route(&self, from: &Party, dialled: &str) -> Destination {
        Calls::route(self, from, dialled)
    }
    fn trunks(&self, from: &Party, emergency: Option<&Number>) -> Vec<TrunkId> {
        Calls::trunks(self, from, emergency)
    }
    fn help(&self) -> Help {
        Calls::help(self)
    }
    fn close_hours(&mut self, closed: BTreeSet<HoursId>) {
        Calls::close_hours(self, closed);
    }
    fn mailbox(&mut self, now: Instant, phone: &Extension, waiting: u32) {
        Calls::mailbox(self, now, phone, waiting);
    }
    fn is_registered(&self, phone: &Extension) -> bool {
        Calls::is_registered(self, phone)
    }
    fn is_browser(&self, leg: LegId) -> bool {
        Calls::is_browser(self, leg)
    }
    fn has_browser(&self, phone: &Extension) -> bool {
        Calls::has_browser(self, phone)
    }
}
