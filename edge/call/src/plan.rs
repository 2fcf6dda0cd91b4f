//! Which numbers may leave, and how a trunk wants them written. What is abroad or expensive is denied unless the site
//! allows it (S-140).

use model::dialling::{Dialling, Spelling};

/// Abroad in each spelling, for a site that does not say where it is: ITU-T E.164, E.123, and North America.
const ABROAD: [&str; 3] = ["+", "00", "011"];

/// Whether these digits are of a class that is denied.
pub fn is_denied(plan: &Dialling, digits: &str) -> bool {
    if is_premium(plan, digits) {
        return true;
    }
    if plan.country.is_empty() {
        return ABROAD.iter().any(|prefix| digits.starts_with(prefix));
    }
    match e164(plan, digits) {
        Some(number) => match number.strip_prefix(&plan.country) {
            // Another prefix behind our own country's code is nobody's number.
            Some(home) => home.is_empty() || home.starts_with('0') || is_premium_at_home(plan, home),
            None => !plan.abroad.iter().any(|allowed| !allowed.is_empty() && number.starts_with(allowed.as_str())),
        },
        None => digits.starts_with("00"),
    }
}

/// What a minute of a call to this number costs, in hundredths of the currency: by the longest tariff that fits, else at
/// home or abroad.
pub fn cents_a_minute(plan: &Dialling, digits: &str) -> u32 {
    let number = e164(plan, digits);
    let longest = number.as_ref().and_then(|number| {
        let fits = plan.tariffs.iter().filter(|(class, _)| !class.is_empty() && number.starts_with(class.as_str()));
        fits.max_by_key(|(class, _)| class.len()).map(|(_, cents)| *cents)
    });
    let abroad = match &number {
        Some(number) => plan.country.is_empty() || !number.starts_with(plan.country.as_str()),
        None => ABROAD.iter().any(|prefix| digits.starts_with(prefix)),
    };
    longest.unwrap_or(if abroad { plan.abroad_cents } else { plan.home_cents })
}

/// Country code and number, without `+`; None for a number that is dialled within its own area.
pub fn e164(plan: &Dialling, digits: &str) -> Option<String> {
    let after = |prefix: &str| digits.strip_prefix(prefix).filter(|_| !prefix.is_empty());
    if let Some(number) = after("+") {
        return Some(number.to_owned());
    }
    if plan.country.is_empty() {
        return None;
    }
    let abroad = after(&plan.international).map(str::to_owned);
    abroad.or_else(|| after(&plan.national).map(|home| format!("{}{home}", plan.country)))
}

/// The number as this trunk wants it; one without a country stays as it is.
pub fn spelled(plan: &Dialling, spelling: Spelling, digits: &str) -> String {
    let Some(number) = e164(plan, digits).filter(|_| spelling != Spelling::AsDialled) else {
        return digits.to_owned();
    };
    match (spelling, number.strip_prefix(&plan.country).filter(|_| !plan.country.is_empty())) {
        (Spelling::Plus, _) => format!("+{number}"),
        (Spelling::National, Some(home)) => format!("{}{home}", plan.national),
        (Spelling::National, None) => format!("{}{number}", plan.international),
        (Spelling::Digits | Spelling::AsDialled, _) => number,
    }
}

fn is_premium_at_home(plan: &Dialling, home: &str) -> bool {
    is_premium(plan, home) || is_premium(plan, &format!("{}{home}", plan.national))
}

fn is_premium(plan: &Dialling, digits: &str) -> bool {
    plan.premium.iter().any(|class| !class.is_empty() && digits.starts_with(class.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Dialling {
        let set = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        Dialling { country: "49".into(), abroad: set(&["43", "4179"]), ..Dialling::default() }
    }

    #[test]
    fn a_class_is_the_same_in_every_spelling() {
        let table = [
            ("030123456", false),
            ("+4930123456", false),
            ("004930123456", false),
            ("123456", false),
            ("+43123456", false),
            ("0043123456", false),
            ("0041791234567", false),
            ("0041441234567", true),
            ("+441234567", true),
            ("00441234567", true),
            ("0900123456", true),
            ("+49900123456", true),
            ("0049900123456", true),
            ("+4900441234567", true),
            ("00490043", true),
            ("+49", true),
            ("+", true),
            ("00", true),
        ];
        for (digits, denied) in table {
            assert_eq!(is_denied(&plan(), digits), denied, "{digits}");
        }
    }

    #[test]
    fn a_site_that_does_not_say_where_it_is_calls_nobody_abroad() {
        let lost = Dialling { country: String::new(), ..plan() };
        for digits in ["+43123456", "0043123456", "01143123456"] {
            assert!(is_denied(&lost, digits), "{digits}");
        }
    }

    #[test]
    fn a_minute_costs_what_the_longest_tariff_says() {
        let tariffs = [("43".to_owned(), 20), ("43676".to_owned(), 35), ("49800".to_owned(), 0)].into();
        let plan = Dialling { tariffs, ..plan() };
        let table = [
            ("030123456", plan.home_cents),
            ("123456", plan.home_cents),
            ("0800123456", 0),
            ("+4312345", 20),
            ("0043676123", 35),
            ("+41791234567", plan.abroad_cents),
        ];
        for (digits, cents) in table {
            assert_eq!(cents_a_minute(&plan, digits), cents, "{digits}");
        }
        assert_eq!(cents_a_minute(&Dialling::default(), "0044123"), plan.abroad_cents);
        assert_eq!(cents_a_minute(&Dialling::default(), "030123"), plan.home_cents);
    }

    #[test]
    fn each_trunk_gets_its_own_spelling() {
        use Spelling::{AsDialled, Digits, National, Plus};
        let table = [
            ("030123", AsDialled, "030123"),
            ("030123", Plus, "+4930123"),
            ("030123", Digits, "4930123"),
            ("+4930123", National, "030123"),
            ("0043123", Plus, "+43123"),
            ("+43123", National, "0043123"),
            ("123456", Plus, "123456"),
        ];
        for (digits, spelling, expected) in table {
            assert_eq!(spelled(&plan(), spelling, digits), expected, "{digits} {spelling:?}");
        }
        assert_eq!(spelled(&Dialling::default(), Digits, "030123"), "030123");
    }
}
