//! Numbers as they arrive: from each trunk's own way of writing to E.164, and whether one is ours, however it is written.

use model::Number;
use model::carrier::{Arrives, Written};
use model::config::Config;
use model::dialling::Dialling;

use crate::plan::e164;
use crate::route::normalise;

/// What a trunk wrote, as E.164 with `+` where its rule says how; what is no number stays as it is.
pub fn arrived(plan: &Dialling, rule: &Arrives, text: &str) -> String {
    let Some(digits) = normalise(text) else { return text.to_owned() };
    let kept: String = digits.chars().skip(rule.strip.into()).collect();
    let digits = format!("{}{kept}", rule.before);
    let international = |number: String| format!("+{number}");
    let written = match rule.written {
        Written::AsIs => None,
        Written::CountryFirst => Some(digits.trim_start_matches('+').to_owned()),
        Written::AsDialled => e164(plan, &digits),
        Written::AreaFirst if digits.starts_with('+') || begins_abroad(plan, &digits) => e164(plan, &digits),
        Written::AreaFirst => (!plan.country.is_empty()).then(|| format!("{}{digits}", plan.country)),
    };
    written.filter(|number| !number.is_empty()).map_or(digits, international)
}

fn begins_abroad(plan: &Dialling, digits: &str) -> bool {
    !plan.international.is_empty() && digits.starts_with(plan.international.as_str())
}

/// The same line, in whatever spelling.
pub fn same(plan: &Dialling, one: &str, other: &str) -> bool {
    one == other || e164(plan, one).is_some_and(|number| e164(plan, other) == Some(number))
}

/// Digits of a number that somebody outside has, at least.
const CUSTOMER_LEN_MIN: usize = 5;

/// One word for a customer's line, however it is written: country code and number, or the digits as they are. None for
/// what is no number, withheld, or a short one of the house.
pub fn customer(plan: &Dialling, text: &str) -> Option<String> {
    let digits = normalise(text)?;
    let number = e164(plan, &digits).unwrap_or_else(|| digits.trim_start_matches('+').to_owned());
    let fits = number.len() >= CUSTOMER_LEN_MIN && number.bytes().all(|b| b.is_ascii_digit());
    fits.then_some(number)
}

/// Our public number that these digits are: as configured, or else the same line spelled otherwise.
pub fn own<'a>(config: &'a Config, dialled: &str) -> Option<&'a Number> {
    let digits = normalise(dialled)?;
    let exact = Number::new(&digits).ok().and_then(|number| config.numbers.get_key_value(&number));
    let plan = &config.site.dialling;
    let spelled = || config.numbers.keys().find(|number| same(plan, number.as_str(), &digits));
    exact.map(|(number, _)| number).or_else(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trunk_s_writing_becomes_one() {
        use Written::{AreaFirst, AsDialled, AsIs, CountryFirst};
        let table = [
            (AsIs, 0, "", "13800138000", "13800138000"),
            (CountryFirst, 0, "", "8613800138000", "+8613800138000"),
            (CountryFirst, 0, "", "+86 138 0013 8000", "+8613800138000"),
            (AsDialled, 0, "", "01055550100", "+861055550100"),
            (AsDialled, 0, "", "0044207946000", "+44207946000"),
            (AsDialled, 0, "", "55550100", "55550100"),
            (AreaFirst, 0, "", "1055550100", "+861055550100"),
            (AreaFirst, 0, "", "0044207946000", "+44207946000"),
            (CountryFirst, 0, "8610", "55550100", "+861055550100"),
            (AsIs, 1, "+86", "01055550100", "+861055550100"),
            (AsDialled, 10, "", "0105555", ""),
            (CountryFirst, 0, "", "anonymous", "anonymous"),
            (CountryFirst, 0, "", "ann.lee", "ann.lee"),
        ];
        let plan = plan();
        for (written, strip, before, text, expected) in table {
            let rule = Arrives { written, strip, before: before.into() };
            assert_eq!(arrived(&plan, &rule, text), expected, "{written:?} {strip} {before:?} {text}");
        }
    }

    #[test]
    fn a_line_is_the_same_in_every_spelling_and_no_other_is() {
        let plan = plan();
        for other in ["01055550100", "+861055550100", "00861055550100"] {
            assert!(same(&plan, "+861055550100", other), "{other}");
        }
        for other in ["1055550100", "55550100", "+861055550101", "+11055550100", ""] {
            assert!(!same(&plan, "+861055550100", other), "{other}");
        }
    }

    #[test]
    fn a_customer_has_one_word_in_every_spelling() {
        let spelled = |text: &str| customer(&plan(), text);
        for text in ["+861055550100", "01055550100", "0086 10 5555 0100", "＋86（10）"] {
            let expected = if text.contains('（') { None } else { Some("861055550100".to_owned()) };
            assert_eq!(spelled(text), expected, "{text}");
        }
        assert_eq!(spelled("55550100"), Some("55550100".into()), "a number of the area");
        for text in ["", "anonymous", "203", "*21#", "sip:li@example.com"] {
            assert_eq!(spelled(text), None, "{text}");
        }
    }

    fn plan() -> Dialling {
        Dialling { country: "86".into(), ..Dialling::default() }
    }
}
