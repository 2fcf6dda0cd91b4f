//! Runs probe after probe: polls the one coroutine that is running whenever something happened or time passed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::line::Line;
use crate::plan::{Link, Plan, Socket};
use crate::probes::{self, Needs, Probe};
use crate::report::{Findings, Outcome};
use crate::said;
use crate::ua::Ua;
use crate::verdict::{Mark, Verdict};

/// Longest that one probe may take, beside the ringing of its calls.
const PROBE_MAX: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub enum Input {
    /// A datagram, or what came on a stream in one read.
    Sip {
        link: Link,
        from: SocketAddr,
        bytes: Bytes,
    },
    /// The answer to [`Output::Open`].
    Opened {
        link: Link,
        result: Result<(), String>,
    },
    /// A stream ended.
    Closed {
        link: Link,
    },
    Media {
        socket: Socket,
        from: SocketAddr,
        bytes: Bytes,
    },
}

#[derive(Debug)]
pub enum Output {
    Sip {
        link: Link,
        to: SocketAddr,
        bytes: Bytes,
    },
    Open {
        link: Link,
        to: SocketAddr,
    },
    Close {
        link: Link,
    },
    Media {
        socket: Socket,
        to: SocketAddr,
        bytes: Bytes,
    },
    /// The n-th of so many begins.
    Began {
        at: usize,
        of: usize,
        probe: &'static Probe,
    },
    Ended(Box<Outcome>),
    Done(Box<Findings>),
}

type Running = Pin<Box<dyn Future<Output = Option<Verdict>>>>;

pub struct Lab {
    line: Rc<RefCell<Line>>,
    todo: VecDeque<&'static Probe>,
    of: usize,
    running: Option<(&'static Probe, Running)>,
    outcomes: Vec<Outcome>,
    done: bool,
}

impl Lab {
    pub fn new(now: Instant, plan: Plan) -> Self {
        let todo: VecDeque<&'static Probe> = probes::suited(&plan).collect();
        let of = todo.len();
        let line = Rc::new(RefCell::new(Line::new(now, plan)));
        let mut lab = Self { line, todo, of, running: None, outcomes: Vec::new(), done: false };
        lab.go_on();
        lab
    }

    pub fn handle_input(&mut self, now: Instant, input: Input) {
        {
            let mut line = self.line.borrow_mut();
            line.now = now;
            match input {
                Input::Sip { link, from, bytes } => line.arrived(link, from, &bytes),
                Input::Opened { link, result } => {
                    let address = line.plan.address_of(link);
                    line.opened(link, address, result);
                }
                Input::Closed { link } => {
                    let address = line.plan.address_of(link);
                    line.opened(link, address, Err("the connection was closed".into()));
                }
                Input::Media { socket, from, bytes } => return line.media(socket, from, &bytes),
            }
        }
        self.go_on();
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        let probe_is_due = {
            let mut line = self.line.borrow_mut();
            line.now = now;
            line.handle_timeout();
            line.wake.is_some_and(|wake| wake <= now)
        };
        if probe_is_due {
            self.go_on();
        }
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.done { None } else { self.line.borrow().poll_timeout() }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.line.borrow_mut().out.pop_front()
    }

    fn go_on(&mut self) {
        while !self.done {
            let Some((probe, running)) = &mut self.running else {
                self.next_probe();
                continue;
            };
            self.line.borrow_mut().wake = None;
            let Poll::Ready(verdict) = running.as_mut().poll(&mut Context::from_waker(Waker::noop())) else { return };
            let probe = *probe;
            self.running = None;
            let limit = PROBE_MAX.as_secs();
            self.ended(
                probe,
                verdict
                    .unwrap_or_else(|| Verdict::fail(said!("not finished within {limit} s", "在 {limit} 秒内未完成"))),
            );
        }
    }

    fn next_probe(&mut self) {
        let Some(probe) = self.todo.pop_front() else {
            let line = self.line.borrow();
            let findings = Findings { product: line.product.clone(), outcomes: std::mem::take(&mut self.outcomes) };
            drop(line);
            self.done = true;
            return self.line.borrow_mut().out.push_back(Output::Done(Box::new(findings)));
        };
        let skipped = {
            let mut line = self.line.borrow_mut();
            line.begin();
            let at = self.of.saturating_sub(self.todo.len());
            line.out.push_back(Output::Began { at, of: self.of, probe });
            cannot(&line, probe)
        };
        match skipped {
            Some(verdict) => self.ended(probe, verdict),
            None => {
                let ua = Ua::new(self.line.clone());
                let limit = PROBE_MAX.saturating_add(self.line.borrow().plan.answer.saturating_mul(2));
                self.running = Some((
                    probe,
                    Box::pin(async move {
                        let verdict = ua.within(limit, (probe.run)(ua.clone())).await;
                        ua.clear().await;
                        verdict
                    }),
                ));
            }
        }
    }

    fn ended(&mut self, probe: &'static Probe, verdict: Verdict) {
        let mut line = self.line.borrow_mut();
        let took = line.now.saturating_duration_since(line.began);
        let outcome = Outcome {
            id: probe.id.to_string(),
            rfc: probe.rfc.to_string(),
            title: probe.title.text(),
            mark: verdict.mark,
            said: verdict.said,
            advice: matches!(verdict.mark, Mark::Fail | Mark::Warn).then(|| probe.advice.text()),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            evidence: std::mem::take(&mut line.evidence),
        };
        line.out.push_back(Output::Ended(Box::new(outcome.clone())));
        drop(line);
        self.outcomes.push(outcome);
    }
}

/// Why a probe cannot be tried, if so.
fn cannot(line: &Line, probe: &Probe) -> Option<Verdict> {
    let needs_call = matches!(probe.needs, Needs::Call | Needs::Keys);
    if needs_call && line.plan.call.is_none() {
        return Some(Verdict::skipped(said!("no number to call was given (--call)", "未指定被叫号码（--call）")));
    }
    if needs_call && let Some(why) = &line.no_call {
        return Some(Verdict::skipped(why.clone()));
    }
    if probe.needs == Needs::Account && line.plan.account.is_none() {
        return Some(Verdict::skipped(said!("no account was given (--user)", "未提供账号（--user）")));
    }
    if probe.needs == Needs::Registrar && line.plan.registered.is_none() {
        return Some(Verdict::skipped(said!(
            "the phone does not register at the lab (--listen)",
            "话机未在测试台注册（--listen）"
        )));
    }
    if probe.needs == Needs::Keys && line.plan.keys.is_none() {
        return Some(Verdict::skipped(said!(
            "nobody presses keys on the device (--keys SECONDS)",
            "设备端无人按键（--keys 秒数）"
        )));
    }
    None
}
