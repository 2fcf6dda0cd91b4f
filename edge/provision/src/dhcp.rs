//! Lines for the DHCP server of the house, so that phones find the box: option 66 (a URL, for most makes), 160 (Poly
//! and Yealink), and 43 for who is asked by vendor class.

use crate::Make;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Dnsmasq,
    /// ISC dhcpd.
    Isc,
    /// PowerShell of Windows Server.
    Windows,
}

/// How a make's phones begin their vendor class (option 60).
fn class(make: Make) -> &'static str {
    match make {
        Make::Yealink => "yealink",
        Make::Grandstream => "Grandstream",
        Make::Poly => "Poly",
        Make::Snom => "snom",
    }
}

/// What a make's phones are handed: most add the name of the file themselves, Snom is told it.
fn url(make: Make, base: &str) -> String {
    match make {
        Make::Snom => format!("{base}snom-{{mac}}.htm"),
        _ => base.to_owned(),
    }
}

/// `base` is the box's URL with a `/` at its end, without a token.
pub fn snippet(server: Server, base: &str) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    match server {
        Server::Dnsmasq => {
            for make in Make::ALL {
                let (name, class, url) = (make.as_str(), class(make), url(make, base));
                line(format!("dhcp-vendorclass=set:{name},{class}"));
                line(format!("dhcp-option-force=tag:{name},66,\"{url}\""));
                if matches!(make, Make::Poly | Make::Yealink) {
                    line(format!("dhcp-option-force=tag:{name},160,\"{url}\""));
                }
            }
        }
        Server::Isc => {
            line("option phones-160 code 160 = text;".into());
            for make in Make::ALL {
                let (name, class, url) = (make.as_str(), class(make), url(make, base));
                line(format!("class \"{name}\" {{"));
                line(format!(
                    "  match if substring(option vendor-class-identifier, 0, {}) = \"{class}\";",
                    class.len()
                ));
                line(format!("  option tftp-server-name \"{url}\";"));
                if matches!(make, Make::Poly | Make::Yealink) {
                    line(format!("  option phones-160 \"{url}\";"));
                }
                line("}".into());
            }
        }
        Server::Windows => {
            line("Add-DhcpServerv4OptionDefinition -OptionId 160 -Name \"Phones\" -Type String".into());
            for make in Make::ALL {
                let (name, class, url) = (make.as_str(), class(make), url(make, base));
                line(format!("Add-DhcpServerv4Class -Name \"{name}\" -Type Vendor -Data \"{class}\""));
                line(format!("Add-DhcpServerv4Policy -Name \"{name}\" -Condition OR -VendorClass EQ,\"{class}*\""));
                line(format!("Set-DhcpServerv4OptionValue -PolicyName \"{name}\" -OptionId 66 -Value \"{url}\""));
                if matches!(make, Make::Poly | Make::Yealink) {
                    line(format!("Set-DhcpServerv4OptionValue -PolicyName \"{name}\" -OptionId 160 -Value \"{url}\""));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_hands_each_make_its_url() {
        let base = "https://192.0.2.10:8443/";
        for server in [Server::Dnsmasq, Server::Isc, Server::Windows] {
            let text = snippet(server, base);
            for make in Make::ALL {
                assert!(text.contains(make.as_str()) && text.contains(&url(make, base)), "{server:?} {make}: {text}");
            }
        }
        let lines = snippet(Server::Dnsmasq, base);
        assert!(lines.contains("dhcp-option-force=tag:poly,160,\"https://192.0.2.10:8443/\"\n"), "{lines}");
        assert!(lines.contains("dhcp-option-force=tag:snom,66,\"https://192.0.2.10:8443/snom-{mac}.htm\"\n"));
    }
}
