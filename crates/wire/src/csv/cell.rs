//! What a cell can be: types, how each is checked, and what it looks like in STIX. Pure.
//!
//! SOURCE: STIX 2.1 section 6 (observables), ISO 13616 (IBAN), ISO 3166-1 alpha-2, RFC 1035.

use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellType {
    /// An address or a network of IPv4 or IPv6.
    Ip,
    /// A domain name.
    Domain,
    /// An absolute URL.
    Url,
    /// An e-mail address.
    Email,
    /// A MAC address.
    Mac,
    /// The name of a file.
    FileName,
    /// A hash of a file: MD5, SHA-1, SHA-256 or SHA-512, by its length.
    Hash,
    /// An international bank account number, with its check digits.
    Iban,
    /// A telephone number.
    Phone,
    /// An address of a crypto currency.
    Wallet,
    /// A date or an instant.
    Date,
    /// A country by its two letters.
    Country,
    /// A whole number.
    Number,
    /// A name.
    Name,
    /// A STIX identifier.
    StixId,
    /// Any text.
    Text,
}

/// Assigned country codes. SOURCE: ISO 3166-1 alpha-2, with XK in use for Kosovo; XA to XF stand
/// for the fictional states of exercises.
const COUNTRIES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO \
    BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ \
    DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP \
    GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG \
    KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML \
    MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE \
    PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL \
    SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM \
    US UY UZ VA VC VE VG VI VN VU WF WS XA XB XC XD XE XF XK YE YT ZA ZM ZW";

impl CellType {
    /// All types, as a map writes them.
    pub const ALL: [(&'static str, Self); 16] = [
        ("ip", Self::Ip),
        ("domain", Self::Domain),
        ("url", Self::Url),
        ("email", Self::Email),
        ("mac", Self::Mac),
        ("file-name", Self::FileName),
        ("hash", Self::Hash),
        ("iban", Self::Iban),
        ("phone", Self::Phone),
        ("wallet", Self::Wallet),
        ("date", Self::Date),
        ("country", Self::Country),
        ("number", Self::Number),
        ("name", Self::Name),
        ("stix-id", Self::StixId),
        ("text", Self::Text),
    ];

    /// Its word in a map.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("text", |(word, _)| word)
    }

    /// What a cell of this type is, for messages.
    #[must_use]
    pub fn wanted(self) -> &'static str {
        match self {
            Self::Ip => "an IP address or network",
            Self::Domain => "a domain name",
            Self::Url => "an absolute URL",
            Self::Email => "an e-mail address",
            Self::Mac => "a MAC address such as 00:1b:44:11:3a:b7",
            Self::FileName => "the name of a file",
            Self::Hash => "a hash of 32, 40, 64 or 128 hexadecimal digits",
            Self::Iban => "an IBAN with correct check digits",
            Self::Phone => "a telephone number",
            Self::Wallet => "an address of a crypto currency",
            Self::Date => "a date",
            Self::Country => "a country by its two letters (ISO 3166-1)",
            Self::Number => "a whole number",
            Self::Name => "a name",
            Self::StixId => "a STIX identifier such as indicator--…",
            Self::Text => "a text",
        }
    }

    /// Whether it can be seen on a network or a disk.
    #[must_use]
    pub fn is_observable(self) -> bool {
        matches!(
            self,
            Self::Ip
                | Self::Domain
                | Self::Url
                | Self::Email
                | Self::Mac
                | Self::FileName
                | Self::Hash
        )
    }

    /// Whether it is a number or name in somebody's books.
    #[must_use]
    pub fn is_account(self) -> bool {
        matches!(self, Self::Iban | Self::Phone | Self::Wallet)
    }

    /// The text in its one form; nothing where it is none of this type.
    #[must_use]
    pub fn read(self, text: &str) -> Option<String> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let as_it_is = |good: bool| good.then(|| text.to_owned());
        match self {
            Self::Ip => as_it_is(is_network(text)),
            Self::Domain => is_domain(text).then(|| text.to_lowercase()),
            Self::Url => as_it_is(is_url(text)),
            Self::Email => as_it_is(is_email(text)),
            Self::Mac => mac(text),
            Self::FileName => as_it_is(is_plain(text) && text.len() <= 1_024),
            Self::Hash => algorithm(text).map(|_| text.to_ascii_lowercase()),
            Self::Iban => iban(text),
            Self::Phone => as_it_is(is_phone(text)),
            Self::Wallet => {
                let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b':');
                as_it_is(plain && (25..=128).contains(&text.len()))
            }
            Self::Country => {
                let code = text.to_ascii_uppercase();
                COUNTRIES.split(' ').any(|known| known == code).then_some(code)
            }
            Self::Number => as_it_is(text.parse::<i64>().is_ok()),
            Self::StixId => {
                let id: Result<model::ids::RecordId, _> = text.to_ascii_lowercase().parse();
                id.ok().filter(|_| text.contains("--")).map(|id| id.to_string())
            }
            Self::Name => as_it_is(is_plain(text)),
            Self::Date | Self::Text => Some(text.to_owned()),
        }
    }

    /// Object path and operator of a pattern for a value of this type, in its one form.
    pub(super) fn path(self, value: &str) -> Option<(String, &'static str)> {
        let path = match self {
            Self::Ip if value.contains(':') => "ipv6-addr:value",
            Self::Ip => "ipv4-addr:value",
            Self::Domain => "domain-name:value",
            Self::Url => "url:value",
            Self::Email => "email-addr:value",
            Self::Mac => "mac-addr:value",
            Self::FileName => "file:name",
            Self::Hash => {
                let name = algorithm(value)?;
                let quoted = if name == "MD5" { name.to_owned() } else { format!("'{name}'") };
                return Some((format!("file:hashes.{quoted}"), "="));
            }
            Self::Iban
            | Self::Phone
            | Self::Wallet
            | Self::Date
            | Self::Country
            | Self::Number
            | Self::Name
            | Self::StixId
            | Self::Text => return None,
        };
        // SOURCE: STIX 2.1 section 9.6.1: a network contains addresses by ISSUBSET.
        let network = self == Self::Ip && value.contains('/');
        Some((path.to_owned(), if network { "ISSUBSET" } else { "=" }))
    }
}

/// What somebody who shares indicators does so that nobody follows them by mistake, undone.
#[must_use]
pub(super) fn refanged(text: &str) -> String {
    let mut out = text.replace("[.]", ".").replace("(.)", ".").replace("[dot]", ".");
    out = out.replace("[:]", ":").replace("[://]", "://").replace("[@]", "@").replace("[at]", "@");
    for (written, meant) in [("hxxps", "https"), ("hxxp", "http"), ("fxp", "ftp")] {
        let head: String = out.chars().take(written.len()).collect();
        if head.eq_ignore_ascii_case(written) {
            out = format!("{meant}{}", out.get(written.len()..).unwrap_or_default());
            break;
        }
    }
    out
}

/// The algorithm of a hash by its length.
pub(super) fn algorithm(text: &str) -> Option<&'static str> {
    if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    match text.len() {
        32 => Some("MD5"),
        40 => Some("SHA-1"),
        64 => Some("SHA-256"),
        128 => Some("SHA-512"),
        _ => None,
    }
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn is_network(text: &str) -> bool {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let most: u8 = match (address.parse::<Ipv4Addr>(), address.parse::<Ipv6Addr>()) {
        (Ok(_), _) => 32,
        (Err(_), Ok(_)) => 128,
        (Err(_), Err(_)) => return false,
    };
    length.is_none_or(|length| length.parse::<u8>().is_ok_and(|bits| bits <= most))
}

fn is_domain(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        !label.is_empty() && label.len() <= 63 && label.chars().all(good) && !label.starts_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(label)
        && last.chars().count() >= 2
        && !last.bytes().all(|b| b.is_ascii_digit())
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let begins = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    begins
        && scheme.chars().all(good)
        && !rest.is_empty()
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let good =
        |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '@' | '<' | '>' | ',');
    !local.is_empty() && local.len() <= 64 && local.chars().all(good) && is_domain(domain)
}

fn mac(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split([':', '-']).collect();
    let good = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
    (parts.len() == 6 && parts.iter().all(good)).then(|| parts.join(":").to_ascii_lowercase())
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let sign = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '/' | '(' | ')' | '.');
    (6..=15).contains(&digits) && text.chars().all(sign)
}

/// An IBAN without blanks, in upper case. SOURCE: ISO 13616: the number modulo 97 is 1.
fn iban(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| *c != ' ').collect::<String>().to_ascii_uppercase();
    let letters = plain.get(..2)?.bytes().all(|b| b.is_ascii_uppercase());
    let checks = plain.get(2..4)?.bytes().all(|b| b.is_ascii_digit());
    let long = (15..=34).contains(&plain.len());
    if !letters || !checks || !long || !plain.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let turned = plain.chars().skip(4).chain(plain.chars().take(4));
    let rest = turned.filter_map(|c| c.to_digit(36)).fold(0_u32, |rest, digit| {
        let factor = if digit > 9 { 100 } else { 10 };
        rest.saturating_mul(factor).saturating_add(digit) % 97
    });
    (rest == 1).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_takes_its_own_and_no_other() {
        let hash = "A".repeat(64);
        for (kind, good, bad) in [
            (CellType::Ip, "203.0.113.0/24", "203.0.113.256"),
            (CellType::Ip, "2001:db8::1", "2001:db8::1/129"),
            (CellType::Domain, "Bad.Example", "203.0.113.7"),
            (CellType::Url, "https://bad.example/a", "https://bad example"),
            (CellType::Email, "ada@venn.example", "ada@venn@x"),
            (CellType::Mac, "00-1B-44-11-3A-B7", "00:1b:44:11:3a"),
            (CellType::Hash, hash.as_str(), "abcdef"),
            (CellType::Iban, "GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 33"),
            (CellType::Phone, "+44 (0)20 7946 0018", "call me"),
            (CellType::Country, "de", "QQ"),
            (CellType::Number, "-7", "7.5"),
            (CellType::StixId, "indicator--6f1c6c1e-52c3-4b2a-9a55-1c1b7a0e2d11", "indicator"),
        ] {
            assert!(kind.read(good).is_some(), "{good} is {}", kind.wanted());
            assert!(kind.read(bad).is_none(), "{bad} is not {}", kind.wanted());
        }
        assert_eq!(refanged("hxxps[:]//bad[.]example"), "https://bad.example");
        assert_eq!(CellType::Iban.read("gb82west12345698765432").unwrap().len(), 22);
    }
}
