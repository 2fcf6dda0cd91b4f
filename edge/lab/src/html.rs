//! The report as one page: self-contained, printable, in English or Chinese at the reader's choice, no script.

use std::fmt::Write as _;

use crate::report::{Outcome, Signed, Way};
use crate::verdict::{Mark, Text};

const STYLE: &str = include_str!("report.css");

/// The whole page.
pub fn page(signed: &Signed) -> String {
    let report = &signed.report;
    let mut page = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    let title = format!("{} {}", report.kind.word(), report.target);
    // Writing to a String cannot fail.
    let _ = write!(
        page,
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>Interop report – {}</title><style>{STYLE}</style></head><body>",
        escape(&title)
    );
    page.push_str(
        "<input type=\"radio\" name=\"lang\" id=\"lang-en\" checked><label for=\"lang-en\">English</label>\
         <input type=\"radio\" name=\"lang\" id=\"lang-zh\"><label for=\"lang-zh\">中文</label><main>",
    );
    let _ =
        write!(page, "<h1>{}</h1><p class=\"target\">{}</p>", both("Interop report", "互通测试报告"), escape(&title));
    facts(&mut page, signed);
    page.push_str("<div class=\"counts\">");
    for mark in Mark::ALL {
        let (class, words) = (class(mark), both(mark.word(), mark.word_zh()));
        let _ = write!(page, "<div class=\"{class}\"><b>{}</b>{words}</div>", report.count(mark));
    }
    let _ = write!(
        page,
        "</div><table><thead><tr><th>{}</th><th>{}</th><th>{}</th></tr></thead><tbody>",
        both("Result", "结果"),
        both("Behaviour", "行为"),
        both("What was seen", "观察到的情况")
    );
    for outcome in &report.outcomes {
        row(&mut page, outcome);
    }
    page.push_str("</tbody></table>");
    let _ = write!(page, "<h2>{}</h2>", both("Messages", "消息"));
    for outcome in report.outcomes.iter().filter(|outcome| !outcome.evidence.is_empty()) {
        evidence(&mut page, outcome);
    }
    page.push_str("</main></body></html>\n");
    page
}

fn facts(page: &mut String, signed: &Signed) {
    let report = &signed.report;
    let key = signed.signature.public_key.get(..32).unwrap_or(&signed.signature.public_key);
    let rows = [
        (both("Device", "设备"), report.product.clone().unwrap_or_else(|| "–".into())),
        (both("Tested at", "测试地点"), format!("{} (boxd {})", report.site, report.software)),
        (both("When", "时间"), format!("{}, {} s", report.began, report.took_s)),
        (both("Signed with", "签名"), format!("{} {key}…", signed.signature.algorithm)),
    ];
    page.push_str("<dl>");
    for (name, value) in rows {
        let _ = write!(page, "<dt>{name}</dt><dd>{}</dd>", escape(&value));
    }
    let _ = write!(
        page,
        "</dl><p class=\"note\">{}</p>",
        both(
            "What is signed is the JSON file beside this page: boxd lab verify FILE.json.",
            "签名对象为同名 JSON 文件：boxd lab verify FILE.json。"
        )
    );
}

fn row(page: &mut String, outcome: &Outcome) {
    let mark = outcome.mark;
    let advice = outcome.advice.as_ref().map(|advice| format!("<p class=\"advice\">{}</p>", text(advice)));
    let _ = write!(
        page,
        "<tr><td><span class=\"mark {}\">{}</span></td><td>{}<br><small>{} · {}</small></td><td>{}{}</td></tr>",
        class(mark),
        both(mark.word(), mark.word_zh()),
        text(&outcome.title),
        escape(&outcome.id),
        escape(&outcome.rfc),
        text(&outcome.said),
        advice.unwrap_or_default()
    );
}

fn evidence(page: &mut String, outcome: &Outcome) {
    let open = if outcome.mark == Mark::Fail { " open" } else { "" };
    let _ = write!(page, "<details{open}><summary>{} – {}</summary>", escape(&outcome.id), text(&outcome.title));
    for one in &outcome.evidence {
        let arrow = if one.way == Way::Sent { "→" } else { "←" };
        let _ = write!(page, "<pre><b>{arrow} {} ms {}</b>\n{}</pre>", one.at_ms, escape(&one.link), escape(&one.text));
    }
    page.push_str("</details>");
}

fn class(mark: Mark) -> &'static str {
    match mark {
        Mark::Pass => "pass",
        Mark::Warn => "warn",
        Mark::Fail => "fail",
        Mark::NotOffered => "none",
        Mark::Skipped => "skip",
    }
}

fn text(text: &Text) -> String {
    both(&text.en, &text.zh)
}

fn both(en: &str, zh: &str) -> String {
    format!("<span lang=\"en\">{}</span><span lang=\"zh-Hans\">{}</span>", escape(en), escape(zh))
}

/// What a device wrote never becomes markup.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\r' => {}
            c if c.is_control() && c != '\n' && c != '\t' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}
