//! What people do with a ticket.

use model::{
    AgentId, CategoryId, ContactId, Millis, QueueId, TicketId,
    ticket::{Priority, Promise, Said, State, Ticket, Ticketed},
};

use crate::{
    CHANGES_MAX, CONTACTS_MAX, Refused, Rules,
    clock::{self, Budgets},
    may_move,
};

/// A ticket that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Drawn by who calls.
    pub ticket: TicketId,
    pub by: AgentId,
    pub queue: Option<QueueId>,
    pub assignee: Option<AgentId>,
    pub priority: Priority,
    pub category: Option<CategoryId>,
    /// The visit that it comes from.
    pub contact: Option<ContactId>,
}

/// One thing that somebody does. What is written with it (a comment, a subject) is the keeper's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Move { to: State },
    Assign { agent: Option<AgentId>, queue: Option<QueueId> },
    Rate { priority: Priority },
    Sort { category: Option<CategoryId> },
    Link { contact: ContactId },
    Comment { said: Said },
    Rename,
}

/// A ticket after something happened to it, and what is to be told: in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub ticket: Ticket,
    pub told: Vec<Ticketed>,
}

impl Change {
    pub(crate) fn of(mut ticket: Ticket, wall: Millis, told: Vec<Ticketed>) -> Self {
        if !told.is_empty() {
            ticket.version = ticket.version.saturating_add(1);
            ticket.changed = wall;
        }
        Self { ticket, told }
    }
}

pub fn open(wall: Millis, opening: Opening, rules: Rules<'_>) -> Result<Change, Refused> {
    let Opening { ticket, by, queue, assignee, priority, category, contact } = opening;
    known(&category, rules)?;
    let mut ticket = Ticket {
        ticket,
        number: 0,
        version: 0,
        state: State::Open,
        priority,
        category: category.clone(),
        queue: queue.clone(),
        assignee: assignee.clone(),
        contacts: contact.into_iter().collect(),
        opened: wall,
        opened_by: by,
        changed: wall,
        first_answer: clock::begin(wall, 0),
        resolution: clock::begin(wall, 0),
        solved: None,
    };
    let Budgets { first_answer_ms, resolution_ms } = clock::budgets(&ticket, rules.terms);
    ticket.first_answer.budget_ms = first_answer_ms;
    ticket.resolution.budget_ms = resolution_ms;
    let mut told = vec![Ticketed::Opened { queue: queue.clone(), priority, category, contact }];
    if assignee.is_some() {
        told.push(Ticketed::Assigned { agent: assignee, queue });
    }
    Ok(Change::of(ticket, wall, told))
}

/// All of it or nothing. What says what stands already tells nothing.
pub fn act(ticket: &Ticket, wall: Millis, acts: &[Act], rules: Rules<'_>) -> Result<Change, Refused> {
    if ticket.state == State::Closed {
        return Err(Refused::Closed);
    }
    // One that has changed so often can still be ended.
    let ends = |act: &Act| matches!(act, Act::Move { to: State::Solved | State::Closed });
    if ticket.version >= CHANGES_MAX && !acts.iter().all(ends) {
        return Err(Refused::TooManyChanges);
    }
    let mut ticket = ticket.clone();
    // What was late before is late, whatever is done about it.
    let mut told = clock::passed(&mut ticket, wall, rules);
    for act in acts {
        does(&mut ticket, wall, act, rules, &mut told)?;
    }
    Ok(Change::of(ticket, wall, told))
}

fn known(category: &Option<CategoryId>, rules: Rules<'_>) -> Result<(), Refused> {
    match category {
        Some(category) if !rules.terms.categories.contains_key(category) => {
            Err(Refused::UnknownCategory(category.clone()))
        }
        _ => Ok(()),
    }
}

fn does(
    ticket: &mut Ticket,
    wall: Millis,
    act: &Act,
    rules: Rules<'_>,
    told: &mut Vec<Ticketed>,
) -> Result<(), Refused> {
    match act {
        Act::Move { to } => return moves(ticket, wall, *to, rules, told),
        Act::Assign { agent, queue } if (&ticket.assignee, &ticket.queue) != (agent, queue) => {
            if ticket.queue != *queue {
                clock::settle(ticket, wall, rules);
            }
            ticket.assignee.clone_from(agent);
            ticket.queue.clone_from(queue);
            told.push(Ticketed::Assigned { agent: agent.clone(), queue: queue.clone() });
        }
        Act::Rate { priority } if ticket.priority != *priority => {
            ticket.priority = *priority;
            clock::promise_anew(ticket, rules.terms);
            told.push(Ticketed::Rated { priority: *priority });
        }
        Act::Sort { category } if ticket.category != *category => {
            known(category, rules)?;
            ticket.category.clone_from(category);
            told.push(Ticketed::Sorted { category: category.clone() });
        }
        Act::Link { contact } if !ticket.contacts.contains(contact) => {
            if ticket.contacts.len() >= CONTACTS_MAX {
                return Err(Refused::TooManyContacts);
            }
            ticket.contacts.push(*contact);
            told.push(Ticketed::Linked { contact: *contact });
        }
        Act::Comment { said } => {
            told.push(Ticketed::Commented { said: *said });
            if *said == Said::ToCustomer {
                clock::finish(&mut ticket.first_answer, Promise::FirstAnswer, wall, rules, told);
            }
        }
        Act::Rename => told.push(Ticketed::Renamed),
        Act::Assign { .. } | Act::Rate { .. } | Act::Sort { .. } | Act::Link { .. } => {}
    }
    Ok(())
}

fn moves(
    ticket: &mut Ticket,
    wall: Millis,
    to: State,
    rules: Rules<'_>,
    told: &mut Vec<Ticketed>,
) -> Result<(), Refused> {
    let from = ticket.state;
    if from == to {
        return Ok(());
    }
    if !may_move(from, to) {
        return Err(Refused::Illegal { from, to });
    }
    ticket.state = to;
    told.push(Ticketed::Moved { from, to });
    match to {
        State::Open | State::Closed => {}
        State::WaitsForUs => {
            ticket.solved = None;
            clock::resume(&mut ticket.resolution, wall);
        }
        State::WaitsForCustomer => {
            clock::finish(&mut ticket.first_answer, Promise::FirstAnswer, wall, rules, told);
            clock::pause(&mut ticket.resolution, wall, rules);
        }
        State::Solved => {
            ticket.solved = Some(wall);
            clock::finish(&mut ticket.first_answer, Promise::FirstAnswer, wall, rules, told);
            clock::finish(&mut ticket.resolution, Promise::Resolution, wall, rules, told);
        }
    }
    Ok(())
}
