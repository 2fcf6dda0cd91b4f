//! Every route: what it is for, what it takes, and what it answers with.

use model::{drill::Drill, flow::Flow, history};
use utoipa::ToSchema;

use super::{Answer, Operation, Shape};
use crate::http::{
    audit, boxes, bundles, configuration, drills, enrolment, figures, flows, health, history as histories, notices,
    people, plan, rollouts, session, single_sign_on, sites, templates, tokens, trends,
};

type Query = &'static [(&'static str, bool, &'static str)];

const UNDER: (&str, bool, &str) = ("under", false, "Of one thing or field alone, such as queues/sales.");
const FROM: (&str, bool, &str) = ("from", true, "Milliseconds since 1970.");
const TO: (&str, bool, &str) = ("to", true, "Milliseconds since 1970.");

fn op(method: &'static str, path: &'static str, says: &'static str) -> Operation {
    Operation { method, path, says, query: &[], takes: None, answer: Answer::Nothing }
}

fn get(path: &'static str, says: &'static str) -> Operation {
    op("get", path, says)
}

fn post(path: &'static str, says: &'static str) -> Operation {
    op("post", path, says)
}

fn put(path: &'static str, says: &'static str) -> Operation {
    op("put", path, says)
}

fn delete(path: &'static str, says: &'static str) -> Operation {
    op("delete", path, says)
}

impl Operation {
    fn asks(self, query: Query) -> Self {
        Self { query, ..self }
    }

    fn takes<T: ToSchema>(self) -> Self {
        Self { takes: Some(Shape::of::<T>()), ..self }
    }

    fn one<T: ToSchema>(self) -> Self {
        Self { answer: Answer::Json(Shape::of::<T>()), ..self }
    }

    fn all<T: ToSchema>(self) -> Self {
        Self { answer: Answer::Json(Shape::list::<T>()), ..self }
    }

    fn with(self, answer: Answer) -> Self {
        Self { answer, ..self }
    }
}

pub fn operations() -> Vec<Operation> {
    let mut all = people_and_door();
    all.extend(sites_and_configuration());
    all.extend(fleet());
    all.extend(what_is_known());
    all
}

fn people_and_door() -> Vec<Operation> {
    vec![
        post("/api/session", "Sign in; the answer sets a cookie.").takes::<session::SignIn>(),
        delete("/api/session", "Sign out."),
        get("/api/me", "Who is signed in, and what they may.").one::<session::Me>(),
        put("/api/me/password", "Another password; all sessions end.").takes::<session::NewPassword>(),
        get("/api/people", "Who may use the console.").all::<people::Line>(),
        post("/api/people", "Somebody new; the password is shown once.")
            .takes::<people::Fresh>()
            .one::<people::Added>(),
        put("/api/people/{login}", "What somebody may.").takes::<people::Change>(),
        post("/api/people/{login}/password", "A new password, shown once.").one::<people::Added>(),
        get("/api/tokens", "Tokens of programs.").all::<tokens::Line>(),
        post("/api/tokens", "A new token, shown once.").takes::<tokens::Fresh>().one::<tokens::Made>(),
        post("/api/tokens/{token}/revocation", "Revoke a token."),
        get("/api/single-sign-on", "Whether there is a way in through an identity provider.")
            .one::<single_sign_on::Offered>(),
        get("/api/single-sign-on/begin", "To the identity provider.").with(Answer::Elsewhere),
        get("/api/single-sign-on/done", "Back from it.")
            .asks(&[
                ("code", false, "From the provider."),
                ("state", false, "From the provider."),
                ("error", false, "From the provider."),
            ])
            .with(Answer::Elsewhere),
    ]
}

fn sites_and_configuration() -> Vec<Operation> {
    vec![
        get("/api/sites", "All sites at a glance.").all::<sites::Line>(),
        put("/api/sites/{site}/tags", "The words by which a site is found.").takes::<templates::Tags>(),
        get("/api/sites/{site}/config", "What a site runs by.")
            .asks(&[("at", false, "As it was known at that moment, in milliseconds since 1970.")])
            .one::<configuration::Known>(),
        post("/api/sites/{site}/changes", "Typed edits, all or none.")
            .takes::<configuration::Edit>()
            .one::<configuration::Kept>(),
        get("/api/sites/{site}/history", "What was written, the newest first.")
            .asks(&[UNDER, ("skip", false, "So many of the newest.")])
            .one::<histories::Page>(),
        get("/api/sites/{site}/blame", "Who said last what each field is.").asks(&[UNDER]).all::<history::Blame>(),
        get("/api/sites/{site}/diff", "What differs between two moments.")
            .asks(&[FROM, ("to", false, "Milliseconds since 1970; until now if not said.")])
            .one::<histories::Diff>(),
        post("/api/sites/{site}/undo", "Take a change back.").takes::<histories::Named>().one::<histories::TakenBack>(),
        get("/api/sites/{site}/merge", "What became of edits that were made apart.").one::<history::Report>(),
        post("/api/sites/{site}/merge", "Decide of a field.").takes::<history::Decision>().one::<configuration::Kept>(),
        post("/api/sites/{site}/plan", "What a wanted configuration would change.")
            .takes::<plan::Wanted>()
            .one::<plan::Planned>(),
        post("/api/sites/{site}/apply", "Make it so, unless something was changed since.")
            .takes::<plan::Apply>()
            .one::<plan::Applied>(),
        get("/api/sites/{site}/flows/{flow}/versions", "Versions of a flow that were replaced.")
            .all::<flows::Version>(),
        post("/api/flows/read", "A flow from its text.").takes::<flows::Text>().one::<flows::LookedAt>(),
        post("/api/flows/print", "The text of a flow.").takes::<Flow>().one::<flows::LookedAt>(),
    ]
}

fn fleet() -> Vec<Operation> {
    vec![
        post("/api/sites/{site}/enrolment", "A code with which one box joins a site.").one::<enrolment::Code>(),
        post("/api/sites/{site}/bundle", "Offer a bundle to a site.").takes::<bundles::Offer>(),
        put("/api/sites/{site}/drill", "Order an outage drill.").takes::<drills::Order>().one::<Drill>(),
        delete("/api/sites/{site}/drill", "Call it off."),
        get("/api/drills", "Outage drills: ordered, and what came of them.").one::<drills::Drills>(),
        get("/api/boxes", "The boxes of all sites.").all::<boxes::Line>(),
        post("/api/boxes/{box}/revocation", "Revoke a box."),
        get("/api/bundles", "Firmware bundles.").all::<bundles::Line>(),
        get("/api/templates", "Changes that are kept under a name.").all::<templates::Line>(),
        put("/api/templates/{template}", "Keep one.").takes::<templates::Wanted>(),
        delete("/api/templates/{template}", "Forget one."),
        get("/api/rollouts", "Roll-outs, those that are not over first.").all::<rollouts::Line>(),
        post("/api/rollouts", "Begin one.").takes::<rollouts::Fresh>().one::<rollouts::Begun>(),
        post("/api/rollouts/look", "What changes would do at each site.")
            .takes::<rollouts::Ask>()
            .one::<rollouts::Looks>(),
        post("/api/rollouts/{rollout}/say", "What a person says of it.").takes::<rollouts::Said>(),
        post("/api/rollouts/{rollout}/agreement", "The second of two people agrees."),
    ]
}

fn what_is_known() -> Vec<Operation> {
    vec![
        get("/api/figures", "Figures of a window of time, and how complete they are.")
            .asks(&[FROM, TO, ("length_s", true, "60 to 86400.")])
            .one::<figures::Told>(),
        get("/api/trends", "Figures over time, summed over sites.")
            .asks(&[
                FROM,
                TO,
                ("length_s", true, "900, 3600 or 86400."),
                ("offset_s", false, "Of the reader's days."),
                ("sites", false, "Ids with commas between them; all if not said."),
                ("queues", false, "Ids with commas between them; all if not said."),
                ("apart", false, "queues or sites."),
            ])
            .one::<trends::Trends>(),
        get("/api/corrections", "What came late about intervals whose time was over.")
            .asks(&[("since", true, "Milliseconds since 1970.")])
            .one::<trends::Corrections>(),
        get("/api/notices", "What people must see soon, of the last week.").all::<notices::Line>(),
        post("/api/notices/{site}/{notice}/seen", "Somebody has seen it."),
        get("/api/audit", "Who did what, the newest first.")
            .asks(&[("before", false, "The page after the one that ended with this.")])
            .one::<audit::Page>(),
        get("/api/events", "Which sites have changed.").with(Answer::Socket),
        get(super::PATH, "This document.").with(Answer::Text("application/json")),
        get("/link", "The way in for boxes where no UDP passes.").with(Answer::Socket),
        get("/metrics", "For Prometheus.").with(Answer::Text("text/plain")),
        get("/healthz", "Is the daemon well?").one::<health::Health>(),
    ]
}
