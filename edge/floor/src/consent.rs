//! What the customer says of being recorded, and pauses that an agent asks for. The word itself is a fact; what it counts
//! for is the rule of the queue, or of the call's direction. What was recorded before a word stays.

use std::time::Duration;

use model::{
    AgentId, ContactId,
    fact::{Kind, RecordingMissing},
    recording::{Consent, Recording},
};

use crate::{
    Floor,
    board::{RecordingLine, Refused},
    contact::{Contact, Partner, State, Talk},
    lines::Lines,
    timer::Timer,
};

impl<L: Lines> Floor<L> {
    /// None: the call is not recorded. A guest's is its own site's affair; a call for help asks nobody.
    pub(crate) fn recording_rule(&self, id: ContactId, contact: &Contact) -> Option<Recording> {
        if contact.guest.is_some() {
            return None;
        }
        let queue = contact.line.as_ref().map(|line| &line.queue);
        let rule = self.config.recording_of(queue, self.chronicle.direction(id))?;
        let emergency = contact.out.as_ref().is_some_and(|out| out.emergency);
        Some(if emergency { Recording { consent: Consent::NotAsked, ..rule } } else { rule })
    }

    /// Why it may not be recorded at this moment. An agent of another site has nobody to tell of a no: there, only who has
    /// said yes is recorded.
    pub(crate) fn not_allowed(&self, id: ContactId, rule: Recording) -> Option<RecordingMissing> {
        let far = matches!(self.talk(id), Some(Talk { with: Partner::Site(..), .. }));
        let consent = match rule.consent {
            Consent::UnlessRefused if far => Consent::WhenGiven,
            consent => consent,
        };
        match self.chronicle.consent(id) {
            said if consent.allows(said) => None,
            Some(false) => Some(RecordingMissing::Refused),
            _ => Some(RecordingMissing::NoConsent),
        }
    }

    /// The last word stands.
    pub(crate) fn consented(&mut self, id: ContactId, given: bool, by: Option<AgentId>) {
        if self.chronicle.consent(id) != Some(given) {
            self.chronicle.tell_of(id, Kind::Consented { given, by });
        }
        let Some(contact) = self.contacts.get(&id).filter(|contact| matches!(contact.state, State::Talking(_))) else {
            return;
        };
        let Some(rule) = self.recording_rule(id, contact) else { return };
        let (runs, anywhere) = (contact.recording.is_some(), contact.recordings().next().is_some());
        match self.not_allowed(id, rule) {
            Some(reason) if anywhere => {
                self.end_recording(id);
                self.end_pause(id, None);
                self.not_recorded(id, reason);
            }
            None if !runs => self.record(id),
            _ => {}
        }
    }

    /// The agent heard it from the customer.
    pub(crate) fn consent_told(&mut self, agent: AgentId, given: bool) -> Result<(), Refused> {
        let (id, _) = self.talk_of(&agent)?;
        self.consented(id, given, Some(agent));
        Ok(())
    }

    /// The talk stays out of the recording until the agent says otherwise, or the rule's time is over.
    pub(crate) fn pause_recording(&mut self, agent: AgentId) -> Result<(), Refused> {
        let (id, rule) = self.talk_of(&agent)?;
        let Some(contact) = self.contacts.get_mut(&id) else { return Err(Refused::NoCall) };
        let recordings: Vec<_> = contact.recordings().collect();
        if recordings.is_empty() || contact.paused.is_some() || rule.pause_s == 0 {
            return Err(Refused::WrongState);
        }
        let until = self.now.checked_add(Duration::from_secs(rule.pause_s.into())).unwrap_or(self.now);
        contact.paused = Some(until);
        for recording in recordings {
            self.lines.record_pause(self.now, recording, true);
        }
        self.timers.set(Timer::Pause(id), until);
        self.chronicle.tell_of(id, Kind::RecordingPaused { by: agent });
        Ok(())
    }

    pub(crate) fn resume_recording_by(&mut self, agent: AgentId) -> Result<(), Refused> {
        let (id, _) = self.talk_of(&agent)?;
        self.end_pause(id, Some(agent)).then_some(()).ok_or(Refused::WrongState)
    }

    /// False: there was none. A card that is being keyed in keeps the recording paused.
    pub(crate) fn end_pause(&mut self, id: ContactId, by: Option<AgentId>) -> bool {
        let Some(contact) = self.contacts.get_mut(&id).filter(|contact| contact.paused.is_some()) else { return false };
        contact.paused = None;
        let card = contact.card_mode.is_some();
        let recordings = contact.recordings();
        self.timers.cancel(Timer::Pause(id));
        for recording in recordings.filter(|_| !card) {
            self.lines.record_pause(self.now, recording, false);
        }
        self.chronicle.tell_of(id, Kind::RecordingResumed { by });
        true
    }

    /// What the desk shows of it; None: it is not recorded by any rule, or nobody talks.
    pub(crate) fn recording_line(&self, id: ContactId, contact: &Contact) -> Option<RecordingLine> {
        if !matches!(contact.state, State::Talking(_)) {
            return None;
        }
        let rule = self.recording_rule(id, contact)?;
        Some(RecordingLine {
            missing: match contact.recording {
                Some(_) => None,
                None => {
                    Some(self.not_allowed(id, rule).or(contact.unrecorded).unwrap_or(RecordingMissing::MediaFailed))
                }
            },
            paused: contact.paused.is_some(),
            may_pause: rule.pause_s > 0,
            consent: rule.consent,
            said: self.chronicle.consent(id),
        })
    }

    /// The talk that the agent has, and its rule.
    fn talk_of(&self, agent: &AgentId) -> Result<(ContactId, Recording), Refused> {
        let (id, _) = self.call_of(agent)?;
        let contact = self.contacts.get(&id).ok_or(Refused::NoCall)?;
        if !matches!(contact.state, State::Talking(_)) {
            return Err(Refused::WrongState);
        }
        let rule = self.recording_rule(id, contact).ok_or(Refused::WrongState)?;
        Ok((id, rule))
    }
}
