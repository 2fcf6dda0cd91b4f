//! What a probe can do: send, wait for the next thing to happen, ask and get an answer. Time passes only in `next`.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use sip::auth::client::{answer, challenge};
use sip::endpoint::TrunkRegistration;
use sip::message::{Address, Contacts, Method, Request, Response};

use crate::draft::{Draft, Spelling};
use crate::engine::Output;
use crate::line::{Dialog, Happened, Line, What};
use crate::plan::{Link, Plan, Socket};
use crate::sdp::{Sdp, Written};

/// How long an answer outside of calls may take: three repetitions.
pub const PATIENCE: Duration = Duration::from_secs(4);

/// The user part that our REFER names.
pub const GOAL: &str = "lab-target";

#[derive(Clone)]
pub struct Ua(Rc<RefCell<Line>>);

/// What came back for one request.
#[derive(Debug, Clone)]
pub struct Reply {
    pub asked: Draft,
    /// With the time since the request.
    pub provisional: Vec<(Duration, Response)>,
    pub last: Option<(Duration, Response)>,
    /// Where the last came from.
    pub from: Option<SocketAddr>,
}

impl Reply {
    pub fn status(&self) -> Option<u16> {
        self.last.as_ref().map(|(_, response)| response.status)
    }

    pub fn response(&self) -> Option<&Response> {
        self.last.as_ref().map(|(_, response)| response)
    }

    pub fn is_ok(&self) -> bool {
        self.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// For sentences.
    pub fn words(&self) -> String {
        match self.response() {
            Some(response) => format!("{} {}", response.status, response.reason),
            None => "–".to_string(),
        }
    }
}

impl Ua {
    pub fn new(line: Rc<RefCell<Line>>) -> Self {
        Self(line)
    }

    pub fn line<T>(&self, look: impl FnOnce(&mut Line) -> T) -> T {
        look(&mut self.0.borrow_mut())
    }

    pub fn plan<T>(&self, look: impl FnOnce(&Plan) -> T) -> T {
        look(&self.0.borrow().plan)
    }

    pub fn now(&self) -> Instant {
        self.0.borrow().now
    }

    pub fn after(&self, wait: Duration) -> Instant {
        let now = self.now();
        now.checked_add(wait).unwrap_or(now)
    }

    /// The next thing that happens; None when `until` comes first.
    pub async fn next(&self, until: Instant) -> Option<Happened> {
        poll_fn(|_| {
            let mut line = self.0.borrow_mut();
            if let Some(happened) = line.inbox.pop_front() {
                return Poll::Ready(Some(happened));
            }
            if line.now >= until {
                return Poll::Ready(None);
            }
            line.wake = Some(line.wake.map_or(until, |wake| wake.min(until)));
            Poll::Pending
        })
        .await
    }

    /// The work's result, or None when it takes longer.
    pub async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        let until = self.after(limit);
        let mut work = std::pin::pin!(work);
        poll_fn(|cx| {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Some(done));
            }
            let mut line = self.0.borrow_mut();
            if line.now >= until {
                return Poll::Ready(None);
            }
            line.wake = Some(line.wake.map_or(until, |wake| wake.min(until)));
            Poll::Pending
        })
        .await
    }

    /// Lets time pass; requests of the device are answered.
    pub async fn listen(&self, wait: Duration) {
        let until = self.after(wait);
        while let Some(happened) = self.next(until).await {
            self.be_polite(&happened);
        }
    }

    pub async fn open(&self, link: Link) -> Result<(), String> {
        if self.line(|line| line.open.contains(&link)) {
            return Ok(());
        }
        self.line(|line| {
            let to = line.plan.address_of(link);
            line.out.push_back(Output::Open { link, to });
        });
        let until = self.after(PATIENCE);
        while let Some(happened) = self.next(until).await {
            match happened.what {
                What::Opened if happened.link == link => return Ok(()),
                What::Closed(why) if happened.link == link => return Err(why),
                _ => {}
            }
        }
        Err("no connection within 4 s".into())
    }

    pub fn close(&self, link: Link) {
        self.line(|line| {
            line.open.remove(&link);
            line.out.push_back(Output::Close { link });
        });
    }

    pub fn branch(&self) -> String {
        self.line(|line| line.ids.branch())
    }

    /// Our own user part.
    pub fn user(&self) -> String {
        self.plan(|plan| plan.account.as_ref().map_or(plan.caller.clone(), |account| account.user.clone()))
    }

    pub fn contact(&self, link: Link) -> String {
        let local = self.plan(|plan| plan.local);
        let transport = match link {
            Link::Udp => "",
            Link::Tcp | Link::Tls => ";transport=tcp",
        };
        format!("<sip:{}@{local}{transport}>", self.user())
    }

    /// A request outside of calls, over UDP.
    pub fn draft(&self, method: &str, uri: &str) -> Draft {
        let user = self.user();
        self.line(|line| {
            let plan = &line.plan;
            let (local, domain, to) = (plan.local, plan.domain(), plan.address);
            let (branch, call_id, tag) = (line.ids.branch(), line.ids.call_id(), line.ids.tag());
            let header = |name: &str, value: String| (name.to_string(), value);
            Draft {
                method: method.to_string(),
                uri: uri.to_string(),
                link: Link::Udp,
                to,
                cseq: 1,
                headers: vec![
                    header("Via", format!("SIP/2.0/UDP {local};rport;branch={branch}")),
                    header("Max-Forwards", "70".into()),
                    header("From", format!("<sip:{user}@{domain}>;tag={tag}")),
                    header("To", format!("<{uri}>")),
                    header("Call-ID", call_id.clone()),
                    header("CSeq", format!("1 {method}")),
                    header("User-Agent", concat!("Branchline-lab/", env!("CARGO_PKG_VERSION")).into()),
                ],
                branch,
                call_id,
                body: Vec::new(),
                spelling: Spelling::Plain,
            }
        })
    }

    /// OPTIONS for the target, the question that disturbs nobody (RFC 3261 §11).
    pub fn options(&self) -> Draft {
        let target = self.plan(|plan| plan.target.to_string());
        self.draft("OPTIONS", &target).with("Accept", "application/sdp")
    }

    pub fn send(&self, draft: &Draft) {
        self.line(|line| line.send(draft.link, draft.to, draft.render()));
    }

    /// Sends, repeats, and waits for the final response.
    pub async fn ask(&self, draft: Draft) -> Reply {
        self.ask_for(draft, PATIENCE).await
    }

    pub async fn ask_for(&self, draft: Draft, limit: Duration) -> Reply {
        let sent = self.now();
        self.line(|line| line.send_surely(draft.link, draft.to, &draft.branch, draft.render()));
        let until = self.after(limit);
        let mut reply = Reply { asked: draft, provisional: Vec::new(), last: None, from: None };
        let mut others = Vec::new();
        while let Some(happened) = self.next(until).await {
            match &happened.what {
                What::Response(response) if self.answers(&reply.asked, response) => {
                    let took = happened.at.saturating_duration_since(sent);
                    reply.from = Some(happened.from);
                    if response.status >= 200 {
                        reply.last = Some((took, response.as_ref().clone()));
                        break;
                    }
                    reply.provisional.push((took, response.as_ref().clone()));
                }
                What::Response(_) => others.push(happened),
                _ => self.be_polite(&happened),
            }
        }
        self.line(|line| {
            line.give_up(&reply.asked.branch);
            for other in others.into_iter().rev() {
                line.inbox.push_front(other);
            }
        });
        reply
    }

    fn answers(&self, asked: &Draft, response: &Response) -> bool {
        let head = &response.head;
        let same_branch = head.top_branch() == asked.branch;
        // A device that mangles Via is still heard: the probe of echoed headers names it.
        let same_call = head.call_id.as_str() == asked.call_id && head.cseq == asked.cseq;
        (same_branch || same_call) && (head.method.to_string() == asked.method)
    }

    /// As [`Ua::ask`], and proves the account once when asked to.
    pub async fn prove(&self, draft: Draft) -> Reply {
        let reply = self.ask(draft).await;
        match self.proof(&reply) {
            Some(draft) => self.ask(draft).await,
            None => reply,
        }
    }

    /// The same request with our proof, when the reply asks for one and we have an account.
    pub fn proof(&self, reply: &Reply) -> Option<Draft> {
        self.proof_with(&reply.asked, reply.response()?, None)
    }

    pub fn proof_with(&self, asked: &Draft, response: &Response, password: Option<&str>) -> Option<Draft> {
        let account = self.plan(|plan| plan.account.clone())?;
        let challenge = challenge(response, |_| true)?;
        let account = TrunkRegistration {
            user: account.user,
            domain: self.plan(Plan::domain),
            password: password.map_or(account.password, str::to_string),
            expires_s: 0,
        };
        let proof = self.line(|line| answer(&challenge, &account, &asked.method, &asked.uri, &mut line.ids))?;
        Some(asked.clone().again(self.branch()).set(challenge.answer_in, proof.as_str()))
    }

    pub fn respond(&self, happened: &Happened, response: Response) {
        let to = match response.head.via.first() {
            Some(via) if happened.link == Link::Udp => via.reply_to(happened.from),
            _ => happened.from,
        };
        self.line(|line| line.send(happened.link, to, response.to_bytes().to_vec()));
    }

    pub fn response(&self, request: &Request, status: u16) -> Response {
        let tag = self.line(|line| line.ids.tag());
        request.response(status, &tag)
    }

    /// What a good neighbour answers to requests that no probe waits for.
    pub fn be_polite(&self, happened: &Happened) {
        let What::Request(request) = &happened.what else { return };
        let call_id = request.head.call_id.as_str();
        let known = self.line(|line| line.calls.contains_key(call_id));
        let response = match request.method() {
            Method::Ack => return,
            Method::Bye => {
                self.line(|line| line.calls.remove(call_id));
                self.response(request, if known { 200 } else { 481 })
            }
            Method::Options | Method::Notify | Method::Info | Method::Update | Method::Cancel => {
                self.response(request, 200)
            }
            Method::Invite if known => self.accept(request, happened.link),
            // The goal of our REFER declines, which the device must tell.
            Method::Invite if request.uri.user().as_deref() == Some(GOAL) => {
                self.line(|line| line.followed = true);
                self.response(request, 603)
            }
            Method::Invite => self.response(request, 486),
            _ => self.response(request, 405),
        };
        self.respond(happened, response);
    }

    /// 200 with our media, for a re-INVITE of theirs.
    fn accept(&self, request: &Request, link: Link) -> Response {
        let rtp = self.plan(|plan| plan.media(Socket::Rtp));
        let body = match Sdp::read(&request.body) {
            Some(theirs) => Written::answer(&theirs, rtp),
            None => Written::offer(rtp),
        };
        let mut response = self.response(request, 200).with_body("application/sdp", body.render().into());
        let contact = self.contact(link);
        if let Ok(contact) = Address::parse("Contact", &contact) {
            response.head.contacts = Contacts::List(vec![contact]);
        }
        response
    }

    /// Hangs up what a probe left behind, closes its streams.
    pub async fn clear(&self) {
        let calls: Vec<Dialog> = self.line(|line| {
            line.speaker = None;
            std::mem::take(&mut line.calls).into_values().collect()
        });
        let had_calls = !calls.is_empty();
        for call in calls {
            let bye = self.within_call("BYE", &call);
            let _ = self.prove(bye).await;
        }
        if had_calls {
            self.listen(Duration::from_millis(300)).await;
        }
        for link in self.line(|line| std::mem::take(&mut line.open)) {
            self.close(link);
        }
    }

    /// The next request of a call (RFC 3261 §12.2.1.1), not yet counted.
    pub fn within_call(&self, method: &str, call: &Dialog) -> Draft {
        let cseq = call.cseq.saturating_add(1);
        let mut draft = self
            .draft(method, &call.uri)
            .set("From", call.from.clone())
            .set("To", call.to.clone())
            .set("Call-ID", call.call_id.clone())
            .set("CSeq", format!("{cseq} {method}"));
        for route in &call.route {
            draft = draft.with("Route", route.clone());
        }
        draft.call_id = call.call_id.clone();
        draft.cseq = cseq;
        draft.over(call.link, call.address)
    }
}
