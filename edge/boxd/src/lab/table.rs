//! The report on a terminal.

use lab::{report::Report, verdict::Mark};

pub fn print(report: &Report) {
    let product = report.product.as_deref().unwrap_or("unnamed");
    println!("\n{} {} – {product}\n", report.kind.word(), report.target);
    for outcome in &report.outcomes {
        println!("{:<12} {:<17} {:<26} {}", outcome.mark.word(), outcome.id, outcome.rfc, outcome.said.en);
        if let Some(advice) = outcome.advice.as_ref().filter(|_| outcome.mark == Mark::Fail) {
            println!("{:<31}→ {}", "", advice.en);
        }
    }
    let counts: Vec<String> =
        Mark::ALL.into_iter().map(|mark| format!("{} {}", report.count(mark), mark.word())).collect();
    println!("\n{} probes in {} s: {}", report.outcomes.len(), report.took_s, counts.join(", "));
}
