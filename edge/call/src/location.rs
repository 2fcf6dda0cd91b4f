//! A place as a PIDF-LO document (RFC 4119, RFC 5139, RFC 5491): where an emergency call comes from.

use std::fmt::Write;

use model::dialling::Place;

/// The civic address of a place; `entity` is who calls, as a SIP URI of ours.
pub fn pidf(place: &Place, entity: &str) -> String {
    let parts = [
        ("country", &place.country),
        ("A1", &place.state),
        ("A3", &place.city),
        ("RD", &place.street),
        ("HNO", &place.house),
        ("FLR", &place.floor),
        ("ROOM", &place.room),
        ("LOC", &place.label),
    ];
    let mut civic = String::new();
    for (name, value) in parts.into_iter().filter(|(_, value)| !value.is_empty()) {
        // Writing to a String cannot fail.
        let _ = write!(civic, "<ca:{name}>{}</ca:{name}>", escaped(value));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" \
         xmlns:gp=\"urn:ietf:params:xml:ns:pidf:geopriv10\" \
         xmlns:ca=\"urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr\" entity=\"{}\">\
         <dm:device id=\"phone\"><gp:geopriv><gp:location-info><ca:civicAddress>{civic}</ca:civicAddress>\
         </gp:location-info><gp:usage-rules/><gp:method>Manual</gp:method></gp:geopriv></dm:device></presence>\r\n",
        escaped(entity)
    )
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control()) {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_part_by_part_and_nothing_breaks_out_of_it() {
        let place = Place {
            country: "CN".into(),
            street: "Nanjing <Rd> & \"Co\"".into(),
            floor: "3".into(),
            ..Place::default()
        };
        let text = pidf(&place, "sip:201@branch.example");
        assert!(text.contains(
            "<ca:country>CN</ca:country><ca:RD>Nanjing &lt;Rd&gt; &amp; &quot;Co&quot;</ca:RD><ca:FLR>3</ca:FLR>"
        ));
        assert!(text.contains("entity=\"sip:201@branch.example\"") && !text.contains("ca:A1"));
    }
}
