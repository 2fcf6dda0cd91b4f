//! What of the box's state one reader may see: the only place where the floor's and the ledger's types become wire
//! types. An agent sees a caller's data only for the own contact; a supervisor of the site sees all.

mod card;
mod chat;
mod report;
mod ticket;

use std::time::{Duration, Instant};

use floor::board;
use model::{AgentId, Extension, config::Phone, fact::AgentState};

pub use card::card;
pub use chat::{chat_message, chat_room};
pub use report::report;
pub use ticket::{ticket, ticket_news, tickets};

use crate::{Desk, Role, api, ports, session::Session};

/// Who is looking.
pub struct Reader<'a> {
    pub agent: &'a AgentId,
    pub role: Role,
}

impl Reader<'_> {
    /// May this reader see personal data of a contact that `owner` has?
    pub fn may_see(&self, owner: Option<&AgentId>) -> bool {
        match self.role {
            Role::Supervisor => true,
            Role::Agent => owner == Some(self.agent),
        }
    }
}

impl Session {
    pub fn reader(&self) -> Reader<'_> {
        Reader { agent: &self.agent, role: self.role }
    }
}

pub fn me(desk: &Desk, session: &Session) -> api::Me {
    let effective = desk.floor.effective().borrow().clone();
    let site = &effective.config.site;
    api::Me {
        agent: session.agent.clone(),
        badge: effective.config.agents.get(&session.agent).map(|agent| agent.badge.clone()),
        role: session.role.into(),
        site: api::SiteName { id: site.id.clone(), label: site.label.clone(), time_zone: site.time_zone.clone() },
    }
}

/// The board as of `now`: the spans of time in it have gone on since it was drawn.
pub fn board(now: Instant, drawn: &ports::BoardAt, reader: &Reader<'_>) -> api::Board {
    let age = now.saturating_duration_since(drawn.at);
    api::Board {
        closed: drawn.board.closed,
        pauses: drawn.board.pauses.clone(),
        queues: drawn.board.queues.iter().map(|line| queue_line(line, age)).collect(),
        agents: drawn.board.agents.iter().map(|line| agent_line(line, age, reader)).collect(),
        help: drawn.board.help.word(),
        callbacks: match reader.role {
            Role::Supervisor => drawn.board.callbacks.iter().map(|line| callback_line(line, age)).collect(),
            Role::Agent => Vec::new(),
        },
        emergencies: match reader.role {
            Role::Supervisor => drawn.board.emergencies.iter().map(|line| emergency_line(line, age)).collect(),
            Role::Agent => Vec::new(),
        },
        notices: match reader.role {
            Role::Supervisor => drawn.board.notices.iter().map(|line| notice_line(line, age)).collect(),
            Role::Agent => Vec::new(),
        },
        alerts: {
            let may = |line: &&board::AlertLine| line.contact.is_none() || reader.role == Role::Supervisor;
            drawn.board.alerts.iter().filter(may).map(|line| alert_line(line, age)).collect()
        },
    }
}

pub fn phone(extension: &Extension, phone: &Phone, badge: Option<String>, is: ports::PhoneIs) -> api::PhoneLine {
    let registered = |one: ports::Registered| api::RegisteredLine {
        private: matches!(one.transport, "tls" | "wss"),
        transport: one.transport,
        address: one.address.to_string(),
        user_agent: one.user_agent,
    };
    let enrolled = |one: ports::Enrolled| {
        let (fetched, model, firmware) = match one.fetched {
            Some((at, model, firmware)) => (Some(at), model, firmware),
            None => (None, None, None),
        };
        let open_until = Some(one.open_until).filter(|until| until.0 > 0);
        api::EnrolledLine { make: one.make, mac: one.mac, open_until, fetched, model, firmware }
    };
    api::PhoneLine {
        phone: extension.clone(),
        label: phone.label.clone(),
        badge,
        protection: phone.protection,
        forward: phone.forward.clone(),
        registered: is.registered.into_iter().map(registered).collect(),
        enrolled: is.enrolled.map(enrolled),
    }
}

fn callback_line(line: &board::CallbackLine, age: Duration) -> api::CallbackLine {
    let (later_ms, agent) = match &line.is {
        board::CallbackIs::Waits => (None, None),
        board::CallbackIs::Later { left } => (Some(ms(left.saturating_sub(age))), None),
        board::CallbackIs::Called { agent } => (None, Some(agent.clone())),
    };
    api::CallbackLine {
        contact: line.contact,
        queue: line.queue.clone(),
        number: line.number.clone(),
        name: line.name.clone(),
        ago_ms: ms(line.ago.saturating_add(age)),
        attempts: line.attempts,
        later_ms,
        agent,
    }
}

fn alert_line(line: &board::AlertLine, age: Duration) -> api::AlertLine {
    api::AlertLine {
        queue: line.queue.clone(),
        label: line.label.clone(),
        alert: line.alert,
        value: line.value,
        agent: line.agent.clone(),
        contact: line.contact,
        since_ms: ms(line.since.saturating_add(age)),
    }
}

fn notice_line(line: &board::NoticeLine, age: Duration) -> api::NoticeLine {
    api::NoticeLine {
        notice: line.notice,
        what: line.what,
        place: line.place.clone(),
        trunk: line.trunk.clone(),
        at: line.at,
        ago_ms: ms(line.ago.saturating_add(age)),
        seen: line.seen.clone(),
    }
}

fn emergency_line(line: &board::EmergencyLine, age: Duration) -> api::EmergencyLine {
    api::EmergencyLine {
        phone: line.phone.clone(),
        label: line.label.clone(),
        place: line.place.clone(),
        floor: line.floor.clone(),
        room: line.room.clone(),
        at: line.at,
        ago_ms: ms(line.ago.saturating_add(age)),
        notice: line.notice,
        seen: line.seen.clone(),
    }
}

fn queue_line(line: &board::QueueLine, age: Duration) -> api::QueueLine {
    let grown = if line.waiting > 0 { age } else { Duration::ZERO };
    api::QueueLine {
        queue: line.queue.clone(),
        label: line.label.clone(),
        intake: line.intake.word(),
        closed: line.closed,
        waiting: line.waiting,
        callbacks: line.callbacks,
        messages: line.messages,
        longest_wait_ms: ms(line.longest_wait.saturating_add(grown)),
        expected_wait_ms: line.expected_wait.map(|(expected, _)| ms(expected)),
        expected_wait_error_ms: line.expected_wait.map(|(_, error)| ms(error)),
        ready: line.ready,
        talking: line.talking,
        offered_today: line.offered_today,
        answered_today: line.answered_today,
        abandoned_today: line.abandoned_today,
        service_level_permille: line.service_level_permille,
    }
}

fn agent_line(line: &board::AgentLine, age: Duration, reader: &Reader<'_>) -> api::AgentLine {
    let card = line.contact.as_ref().filter(|_| reader.may_see(Some(&line.agent)));
    api::AgentLine {
        agent: line.agent.clone(),
        badge: line.badge.clone(),
        state: line.state,
        pause: line.pause.clone(),
        since_ms: ms(line.since.saturating_add(age)),
        phone: line.phone.clone(),
        phone_registered: line.phone_registered,
        contact: card.map(|card| contact_card(card, line.state, age)),
        monitors: match reader.role {
            Role::Supervisor => line.monitors.iter().map(monitor_line).collect(),
            Role::Agent => Vec::new(),
        },
    }
}

fn monitor_line(line: &board::MonitorLine) -> api::MonitorLine {
    api::MonitorLine { by: line.by.clone(), how: line.how, there: line.there }
}

fn third_line(line: &board::ThirdLine) -> api::ThirdLine {
    let stage = match line.stage {
        floor::Stage::Rung => api::Stage::Rung,
        floor::Stage::Apart => api::Stage::Apart,
        floor::Stage::Joined => api::Stage::Joined,
    };
    api::ThirdLine { agent: line.agent.clone(), stage }
}

fn recording_line(line: board::RecordingLine) -> api::RecordingLine {
    let board::RecordingLine { missing, paused, may_pause, consent, said } = line;
    api::RecordingLine { missing, paused, may_pause, consent, said }
}

fn contact_card(card: &board::ContactCard, state: AgentState, age: Duration) -> api::ContactCard {
    // A caller waits until somebody answers.
    let grown = if state == AgentState::Offered { age } else { Duration::ZERO };
    api::ContactCard {
        contact: card.contact,
        queue: card.queue.clone(),
        caller_number: card.caller_number.clone(),
        caller_name: card.caller_name.clone(),
        waited_ms: ms(card.waited.saturating_add(grown)),
        held: card.held,
        card_mode: card.card_mode,
        recording: card.recording.map(recording_line),
        callback: card.callback,
        third: card.third.as_ref().map(third_line),
        away: card.away,
        wrap_up_left_ms: card.wrap_up_left.map(|left| ms(left.saturating_sub(age))),
        from_site: card.from_site.clone(),
        disposition: card.disposition.clone(),
        disposition_required: card.disposition_required,
    }
}

pub fn contact(row: ports::ContactRow, reader: &Reader<'_>) -> api::Contact {
    let may = reader.may_see(row.cdr.agent.as_ref());
    let caller = row.caller.filter(|_| may);
    let caller = caller.map(|caller| api::Caller { number: caller.number, name: caller.name });
    let notes = if may { card::notes(row.notes) } else { Vec::new() };
    api::Contact { cdr: row.cdr, caller, notes }
}

pub fn message(row: ports::MessageRow) -> api::Message {
    let (done_at, done_by) = row.done.unzip();
    let caller = row.caller.map(|caller| api::Caller { number: caller.number, name: caller.name });
    let ports::MessageRow { contact, queue, at, recording, ms, .. } = row;
    api::Message { contact, queue, at, recording, ms, done_by, done_at, caller }
}

pub fn settings(effective: &ports::Effective) -> api::Settings {
    api::Settings {
        config: effective.config.clone(),
        findings: effective.findings.clone(),
        alone: effective.alone.clone(),
    }
}

pub fn ask(ask: api::Ask) -> Result<board::Ask, api::RefusedCode> {
    use api::Ask as Wire;
    use board::Ask;
    Ok(match ask {
        Wire::SignIn => Ask::SignIn,
        Wire::SignOut => Ask::SignOut,
        Wire::Seen { notice } => Ask::Seen { notice },
        Wire::StrikeOff { contact } => Ask::StrikeOff { contact },
        Wire::Ready => Ask::Ready,
        Wire::NotReady { pause } => Ask::NotReady { pause },
        Wire::WrapUpDone => Ask::WrapUpDone,
        Wire::WrapUpMore => Ask::WrapUpMore,
        Wire::Dispose { contact, disposition } => Ask::Dispose { contact, disposition },
        Wire::Dial { number } => Ask::Dial { number: dialable(&number)? },
        Wire::HangUp => Ask::HangUp,
        Wire::Hold => Ask::Hold,
        Wire::Resume => Ask::Resume,
        Wire::CardMode => Ask::CardMode,
        Wire::CardModeEnd => Ask::CardModeEnd,
        Wire::Consent { given } => Ask::Consent { given },
        Wire::PauseRecording => Ask::PauseRecording,
        Wire::ResumeRecording => Ask::ResumeRecording,
        Wire::Transfer { number } => Ask::Transfer { number: dialable(&number)? },
        Wire::Consult { number } => Ask::Consult { number: dialable(&number)? },
        Wire::Confer => Ask::Confer,
        Wire::ConsultEnd => Ask::ConsultEnd,
        Wire::Monitor { agent, how } => Ask::Monitor { agent, how },
        Wire::MonitorEnd => Ask::MonitorEnd,
    })
}

pub fn refused(error: ports::CommandError) -> api::RefusedCode {
    use api::RefusedCode as Code;
    use board::Refused;
    match error {
        ports::CommandError::Unavailable(_) => Code::Unavailable,
        ports::CommandError::Refused(refused) => match refused {
            Refused::UnknownAgent => Code::UnknownAgent,
            Refused::SignedOut => Code::SignedOut,
            Refused::PhoneNotRegistered => Code::PhoneNotRegistered,
            Refused::WrongState | Refused::TooLate => Code::WrongState,
            Refused::NoCall | Refused::NoMessage => Code::NoCall,
            Refused::Forbidden => Code::Forbidden,
            Refused::PauseNeeded => Code::PauseNeeded,
            Refused::DispositionNeeded => Code::DispositionNeeded,
            Refused::UnknownDisposition => Code::UnknownDisposition,
        },
    }
}

/// Most digits one can dial from a desk.
const DIALLED_LEN_MAX: usize = 32;

/// A number as people write it, `0755 1234-5678`, as one dials it.
fn dialable(written: &str) -> Result<String, api::RefusedCode> {
    let number: String = written
        .chars()
        .take(2 * DIALLED_LEN_MAX + 1)
        .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '/' | '.'))
        .collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    let fits = !digits.is_empty()
        && number.len() <= DIALLED_LEN_MAX
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#');
    if fits { Ok(number) } else { Err(api::RefusedCode::BadNumber) }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use floor::board::{AgentLine, Board, ContactCard, QueueLine};
    use model::ContactId;

    use super::*;

    #[test]
    fn the_spans_of_a_board_go_on_from_when_it_was_drawn() {
        let s = Duration::from_secs;
        let card = |wrap_up_left| ContactCard {
            contact: ContactId(1),
            queue: None,
            caller_number: String::new(),
            caller_name: None,
            waited: s(5),
            held: false,
            card_mode: false,
            recording: None,
            callback: false,
            third: None,
            away: false,
            wrap_up_left,
            from_site: None,
            disposition: None,
            disposition_required: false,
        };
        let line = |state, contact| AgentLine {
            agent: AgentId::new("li").unwrap(),
            badge: "Li".into(),
            state,
            pause: None,
            since: s(3),
            phone: None,
            phone_registered: true,
            contact: Some(contact),
            monitors: Vec::new(),
        };
        let agents = vec![
            line(AgentState::Offered, card(None)),
            line(AgentState::Talking, card(None)),
            line(AgentState::WrapUp, card(Some(s(20)))),
        ];
        let queue = |waiting| QueueLine {
            queue: "sales".parse().unwrap(),
            label: "Sales".into(),
            intake: board::Intake::Open,
            closed: false,
            waiting,
            callbacks: 0,
            messages: 0,
            longest_wait: s(waiting.into()),
            expected_wait: (waiting > 0).then_some((s(80), s(20))),
            ready: 0,
            talking: 0,
            offered_today: 0,
            answered_today: 0,
            abandoned_today: 0,
            service_level_permille: None,
        };
        let help = board::EmergencyLine {
            phone: Some("203".parse().unwrap()),
            label: "Desk 3".into(),
            place: Some("Annex".into()),
            floor: "3".into(),
            room: "312".into(),
            at: model::Millis(5),
            ago: s(2),
            notice: model::NoticeId(5),
            seen: Vec::new(),
        };
        let notice = board::NoticeLine {
            notice: model::NoticeId(6),
            what: model::leaving::What::OutwardCap,
            place: None,
            trunk: None,
            at: model::Millis(5),
            ago: s(1),
            seen: vec!["li".parse().unwrap()],
        };
        let at = Instant::now();
        let help_is = floor::board::Help::Ready;
        let board_ = Board {
            closed: false,
            pauses: Default::default(),
            callbacks: Vec::new(),
            queues: vec![queue(0), queue(7)],
            agents,
            help: help_is,
            emergencies: vec![help],
            notices: vec![notice],
            alerts: Vec::new(),
        };
        let drawn = ports::BoardAt { at, board: board_ };
        let agent = AgentId::new("li").unwrap();
        let seen = board(at + s(30), &drawn, &Reader { agent: &agent, role: Role::Agent });
        assert_eq!(seen.queues.iter().map(|q| q.longest_wait_ms).collect::<Vec<_>>(), [0, 37_000]);
        let expected: Vec<_> = seen.queues.iter().map(|q| (q.expected_wait_ms, q.expected_wait_error_ms)).collect();
        assert_eq!(expected, [(None, None), (Some(80_000), Some(20_000))]);
        assert!(seen.agents.iter().all(|a| a.since_ms == 33_000));
        let cards: Vec<_> = seen.agents.into_iter().filter_map(|a| a.contact).collect();
        assert_eq!(cards.iter().map(|c| c.waited_ms).collect::<Vec<_>>(), [35_000, 5000, 5000]);
        assert_eq!(cards[2].wrap_up_left_ms, Some(0));
        assert!(seen.emergencies.is_empty() && seen.notices.is_empty(), "for supervisors alone");
        let seen = board(at + s(30), &drawn, &Reader { agent: &agent, role: Role::Supervisor });
        let help: Vec<_> = seen.emergencies.iter().map(|line| (line.room.as_str(), line.ago_ms)).collect();
        assert_eq!(help, [("312", 32_000)]);
    }

    #[test]
    fn numbers_are_dialled_as_people_write_them_and_nothing_else_is() {
        for (written, expected) in [
            ("201", Ok("201")),
            ("+86 (755) 1234-5678", Ok("+8675512345678")),
            ("*21#", Ok("*21#")),
            ("", Err(api::RefusedCode::BadNumber)),
            ("+", Err(api::RefusedCode::BadNumber)),
            ("sip:eve@evil.example", Err(api::RefusedCode::BadNumber)),
            ("201\r\nTo: eve", Err(api::RefusedCode::BadNumber)),
            ("٢٠١", Err(api::RefusedCode::BadNumber)),
            (&"1".repeat(33), Err(api::RefusedCode::BadNumber)),
        ] {
            assert_eq!(dialable(written), expected.map(str::to_owned), "{written:?}");
        }
    }
}
