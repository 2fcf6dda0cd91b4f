//! What may come of a contact: the site's codes, and what a queue asks for.

use config::{Error, changes_from, effective};
use model::{
    change::{Change, Doc, Problem},
    disposition::{DISPOSITIONS_MAX, Dispositions},
};

use crate::support::{AT, id, local, problem, sample, seeded, site};

fn put(code: &str, label: &str) -> Change {
    Change::DispositionPut { disposition: id(code), label: label.into() }
}

fn asks(only: &[&str], required: bool) -> Change {
    let only = only.iter().map(|code| id(code)).collect();
    Change::QueueDispositions { queue: id("sales"), dispositions: Dispositions { only, required } }
}

#[test]
fn codes_of_the_site_and_a_queue_s_own_choice_are_resolved_and_seeded_again() {
    let mut documents = seeded(1);
    site(&mut documents, put("sold", "Sold"));
    local(&mut documents, put("later", "Call again"));
    site(&mut documents, asks(&["sold"], true));
    let config = effective(&documents).config;
    let labels = |queue: Option<&str>| {
        let queue = queue.map(id);
        let codes = config.dispositions_for(queue.as_ref());
        codes.into_iter().map(|(code, label)| format!("{code} {label}")).collect::<Vec<_>>()
    };
    assert_eq!(labels(Some("sales")), ["sold Sold"]);
    assert_eq!(labels(Some("support")), ["later Call again", "sold Sold"], "without a choice of its own: all");
    assert_eq!(labels(None), ["later Call again", "sold Sold"]);
    let required = |queue: &str| config.disposition_required(Some(&id(queue)));
    assert_eq!((required("sales"), required("support")), (true, false));

    let mut again = seeded(2);
    for change in changes_from(&config) {
        again.edit(Doc::Site, &change, config::Author::Centre, AT).unwrap();
    }
    assert_eq!(effective(&again).config, config);
}

#[test]
fn a_code_that_is_gone_is_asked_for_by_nobody() {
    let mut documents = seeded(1);
    site(&mut documents, put("sold", "Sold"));
    site(&mut documents, asks(&["sold", "gone"], true));
    assert_eq!(problem(&documents, "queues/sales/dispositions"), Some(Problem::Dangling { to: "gone".into() }));
    assert_eq!(effective(&documents).config.dispositions_for(Some(&id("sales"))).len(), 1);
    // The last code goes: who writes up is not kept from going on.
    site(&mut documents, Change::DispositionRemove { disposition: id("sold") });
    let config = effective(&documents).config;
    assert_eq!(config.site.dispositions, sample().site.dispositions);
    assert!(!config.disposition_required(Some(&id("sales"))));
    let found = effective(&documents).findings;
    assert!(found.iter().any(|finding| finding.problem == Problem::Missing), "{found:?}");
}

#[test]
fn labels_and_lists_have_bounds() {
    let mut documents = seeded(1);
    let refused = |documents: &mut config::Documents, change: &Change| {
        documents.edit(Doc::Site, change, config::Author::Centre, AT).expect_err("out of bounds")
    };
    for label in ["", "a\u{7}b", &"语".repeat(61)] {
        let error = refused(&mut documents, &put("sold", label));
        assert!(matches!(error, Error::Length { .. } | Error::Invalid { .. }), "{error:?}");
    }
    let many: Vec<String> = (0..=DISPOSITIONS_MAX).map(|n| format!("code-{n:03}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(matches!(refused(&mut documents, &asks(&many, false)), Error::TooMany { .. }));
    let longest: Vec<String> = (0..DISPOSITIONS_MAX).map(|n| format!("{n:040}")).collect();
    let longest: Vec<&str> = longest.iter().map(String::as_str).collect();
    site(&mut documents, asks(&longest, true));
    for code in &many {
        site(&mut documents, put(code, "Label"));
    }
    assert_eq!(effective(&documents).config.site.dispositions.len(), DISPOSITIONS_MAX);
}
