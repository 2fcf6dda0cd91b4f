//! How a contact ends, whatever it was doing.

use model::{
    ContactId, LegId,
    fact::{CardModeEnd, EndCause, Kind},
    leaving::What,
};

use crate::{
    Floor,
    contact::{Back, Contact, Partner, State, Talk},
    lines::Lines,
    timer::Timer,
};

impl<L: Lines> Floor<L> {
    /// The end of a contact in any state; its one `Ended`. Everybody who has a part in it is let go. Who was promised a
    /// call back only hangs up.
    pub(crate) fn end(&mut self, id: ContactId, cause: EndCause) {
        if self.goes_home(id, cause) {
            return;
        }
        if self.acd.holds(id) {
            self.ask_acd(acd::Input::Leave { contact: id });
        }
        self.stop_asking(id);
        self.timers.cancel(Timer::Collect(id));
        self.timers.cancel(Timer::Moving(id));
        self.timers.cancel(Timer::Away(id));
        self.timers.cancel(Timer::Refusing(id));
        self.timers.cancel(Timer::Forward(id));
        self.timers.cancel(Timer::Minute(id));
        self.timers.cancel(Timer::Keeping(id));
        self.timers.cancel(Timer::CallBack(id));
        self.timers.cancel(Timer::CallAgain(id));
        let unheard =
            |contact: &Contact| contact.answered.is_none() && contact.out.as_ref().is_some_and(|o| o.emergency);
        if self.contacts.get(&id).is_some_and(unheard) {
            self.tell_of_help(id, What::EmergencyFailed);
        }
        self.end_card_mode(id, CardModeEnd::CallEnded);
        self.sounds_no_more(id);
        self.disperse(id);
        self.end_recording(id);
        self.end_pause(id, None);
        let Some(contact) = self.contacts.remove(&id) else { return };
        self.say_end(&contact, cause);
        if let Some(sound) = contact.heard.sound() {
            self.chronicle.tell_of(id, Kind::Sounded { sound });
        }
        self.chronicle.tell_of(id, Kind::Ended { cause });
        self.drop_legs(id);
        match contact.state {
            State::InFlow(walk) => self.drop_question(&walk),
            State::CallingBack { agent, .. } => self.done_with(Partner::Agent(agent)),
            State::Talking(Talk { with, .. }) => self.done_with(with),
            State::Moving { back: Some(Back { with, leg: Some(_), .. }), .. } => self.done_with(with),
            State::Away(away) => {
                self.disengage(away.gone);
                self.done_with(away.with);
            }
            _ => {}
        }
        let owes = self.config.agents.keys().find(|agent| self.acd.contact_of(agent) == Some(id)).cloned();
        self.chronicle.close(id, owes);
    }

    /// An agent whom the distributor gave the contact to has no part in it any more.
    pub(crate) fn done_with(&mut self, with: Partner) {
        if let Partner::Agent(agent) = with {
            self.ask_acd(acd::Input::ContactDone { agent });
        }
    }

    /// Hangs up on everybody who is left.
    fn drop_legs(&mut self, id: ContactId) {
        let legs: Vec<LegId> = self.legs.iter().filter(|(_, (of, _))| *of == id).map(|(leg, _)| *leg).collect();
        for leg in legs {
            self.drop_leg(leg);
        }
    }

    /// Hangs up on a leg that has no part in its contact any more.
    pub(crate) fn drop_leg(&mut self, leg: LegId) {
        self.legs.remove(&leg);
        self.lines.hang_up(self.now, leg);
    }
}
