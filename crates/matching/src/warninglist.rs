//! Lists of values that are no sign of anything: public resolvers, big sites, private networks.
//! Pure.
//!
//! A value on a list is kept and indexed as any other; what is shown of it is the list's name.
//! SOURCE: the MISP warninglist format (types `string`, `substring`, `hostname`, `cidr`, `regex`).

use crate::net::Net;
use crate::normal::{VALUE_BYTES_MAX, normalise};
use crate::value::Value;
use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use model::value::ValueKind;
use regex::{RegexSet, RegexSetBuilder};
use std::collections::{BTreeSet, HashSet};

/// LIMIT: entries of one list.
pub const ENTRIES_MAX: usize = 2_000_000;
/// LIMIT: regular expressions of one list.
pub const REGEXES_MAX: usize = 10_000;
/// LIMIT: bytes the compiled expressions of one list may take.
const REGEX_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How the entries of a list are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// The value is an entry, letter case apart.
    String,
    /// An entry stands anywhere in the value, letter case apart.
    Substring,
    /// The value's host is an entry or a name below one.
    Hostname,
    /// The value is an address or network within an entry.
    Cidr,
    /// An entry matches the value; case counts unless the entry ends in `/i`.
    Regex,
}

impl ListKind {
    /// Reads the word MISP uses.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "string" => Self::String,
            "substring" => Self::Substring,
            "hostname" => Self::Hostname,
            "cidr" => Self::Cidr,
            "regex" => Self::Regex,
            _ => return None,
        })
    }
}

/// A list as its file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries {
    /// Its name: the reason shown.
    pub name: String,
    /// How its entries are compared.
    pub kind: ListKind,
    /// MISP attribute types it is about; empty for all.
    pub attributes: Vec<String>,
    /// The entries.
    pub entries: Vec<String>,
}

/// Why a list cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListProblem {
    /// More entries than are ever looked at.
    #[error("the list `{name}` has {found} entries, the limit is {max}")]
    Entries {
        /// The list.
        name: String,
        /// How many it has.
        found: usize,
        /// How many it may have.
        max: usize,
    },
    /// The entries together cannot be compiled.
    #[error("the list `{name}` cannot be compiled: {cause}")]
    Compile {
        /// The list.
        name: String,
        /// What the compiler says.
        cause: String,
    },
}

impl ListProblem {
    /// How to cure it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Entries { .. } => "split the list, or keep the entries that matter",
            Self::Compile { .. } => "shorten its expressions or split the list",
        }
    }
}

/// An entry that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its place in the list, from 0.
    pub at: usize,
    /// Its beginning.
    pub entry: String,
    /// Why.
    pub why: &'static str,
}

/// A list ready to be asked.
#[derive(Debug)]
pub struct Warninglist {
    name: String,
    kinds: Option<BTreeSet<ValueKind>>,
    body: Body,
    skipped: Vec<Skipped>,
}

#[derive(Debug)]
enum Body {
    Texts(HashSet<String>),
    Parts(AhoCorasick),
    Hosts(HashSet<String>),
    Nets { lengths: BTreeSet<u8>, nets: HashSet<Net> },
    Patterns(RegexSet),
}

impl Warninglist {
    /// Makes a list ready; entries it cannot use are left out and named in [`Self::skipped`].
    ///
    /// # Errors
    /// Too many entries, or they cannot be compiled together.
    pub fn compile(list: Entries) -> Result<Self, ListProblem> {
        let Entries { name, kind, attributes, entries } = list;
        let max = if kind == ListKind::Regex { REGEXES_MAX } else { ENTRIES_MAX };
        if entries.len() > max {
            return Err(ListProblem::Entries { name, found: entries.len(), max });
        }
        let mut skipped = Vec::new();
        let body = match kind {
            ListKind::String => Body::Texts(texts(&entries, &mut skipped)),
            ListKind::Substring => Body::Parts(parts(&name, &entries, &mut skipped)?),
            ListKind::Hostname => Body::Hosts(hosts(&entries, &mut skipped)),
            ListKind::Cidr => nets(&entries, &mut skipped),
            ListKind::Regex => Body::Patterns(patterns(&name, &entries, &mut skipped)?),
        };
        Ok(Self { name, kinds: kinds(&attributes), body, skipped })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The entries that were left out.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Whether the value is on the list. Cost: O(length of the value), whatever the list's length.
    #[must_use]
    pub fn has(&self, value: &Value) -> bool {
        if self.kinds.as_ref().is_some_and(|kinds| !kinds.contains(&value.kind())) {
            return false;
        }
        match &self.body {
            Body::Texts(texts) => texts.contains(&value.text().to_lowercase()),
            Body::Parts(parts) => parts.is_match(&value.text().to_lowercase()),
            Body::Hosts(hosts) => host(value).is_some_and(|host| below(&host, hosts)),
            Body::Nets { lengths, nets } => Net::parse(value.text()).is_some_and(|net| {
                lengths.iter().filter_map(|length| net.cut(*length)).any(|cut| nets.contains(&cut))
            }),
            Body::Patterns(patterns) => patterns.is_match(value.text()),
        }
    }
}

/// Many lists together.
#[derive(Debug, Default)]
pub struct Warninglists(Vec<Warninglist>);

impl Warninglists {
    /// These lists.
    #[must_use]
    pub fn new(lists: Vec<Warninglist>) -> Self {
        Self(lists)
    }

    /// The lists.
    #[must_use]
    pub fn lists(&self) -> &[Warninglist] {
        &self.0
    }

    /// The names of the lists the value is on.
    #[must_use]
    pub fn reasons(&self, value: &Value) -> Vec<String> {
        self.0.iter().filter(|list| list.has(value)).map(|list| list.name.clone()).collect()
    }
}

fn skip(skipped: &mut Vec<Skipped>, (at, entry): (usize, &str), why: &'static str) {
    skipped.push(Skipped { at, entry: entry.chars().take(80).collect(), why });
}

/// The entries that can be compared at all.
fn usable<'a>(
    entries: &'a [String],
    skipped: &mut Vec<Skipped>,
) -> impl Iterator<Item = (usize, &'a str)> {
    let mut out = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        let entry = entry.trim();
        match entry.len() {
            0 => skip(skipped, (at, entry), "the entry is empty"),
            1..=VALUE_BYTES_MAX => out.push((at, entry)),
            _ => skip(skipped, (at, entry), "the entry is longer than any value"),
        }
    }
    out.into_iter()
}

fn texts(entries: &[String], skipped: &mut Vec<Skipped>) -> HashSet<String> {
    let mut out = HashSet::with_capacity(entries.len());
    for (_, entry) in usable(entries, skipped) {
        // WHY: the normal form beside the text as it stands, so that either way of writing counts.
        let kind = if entry.contains("://") {
            Some(ValueKind::Url)
        } else if Net::parse(entry).is_some() {
            Some(ValueKind::Ipv4)
        } else if entry.ends_with('.') || !entry.is_ascii() {
            Some(ValueKind::Domain)
        } else {
            None
        };
        out.extend(kind.and_then(|kind| normalise(kind, entry)).map(|v| v.text().to_lowercase()));
        out.insert(entry.to_lowercase());
    }
    out
}

fn parts(
    name: &str,
    entries: &[String],
    skipped: &mut Vec<Skipped>,
) -> Result<AhoCorasick, ListProblem> {
    let words = usable(entries, skipped).map(|(_, entry)| entry.to_lowercase());
    AhoCorasickBuilder::new()
        .build(words)
        .map_err(|e| ListProblem::Compile { name: name.to_owned(), cause: e.to_string() })
}

fn hosts(entries: &[String], skipped: &mut Vec<Skipped>) -> HashSet<String> {
    let mut out = HashSet::with_capacity(entries.len());
    let mut bad = Vec::new();
    for (at, entry) in usable(entries, skipped) {
        match normalise(ValueKind::Domain, entry.trim_start_matches('.')) {
            Some(name) => drop(out.insert(name.text().to_owned())),
            None => skip(&mut bad, (at, entry), "the entry is no host name"),
        }
    }
    skipped.extend(bad);
    out
}

fn nets(entries: &[String], skipped: &mut Vec<Skipped>) -> Body {
    let (mut lengths, mut nets) = (BTreeSet::new(), HashSet::with_capacity(entries.len()));
    let mut bad = Vec::new();
    for (at, entry) in usable(entries, skipped) {
        match Net::parse(entry) {
            Some(net) => {
                lengths.insert(net.prefix());
                nets.insert(net);
            }
            None => skip(&mut bad, (at, entry), "the entry is no network such as 192.0.2.0/24"),
        }
    }
    skipped.extend(bad);
    Body::Nets { lengths, nets }
}

fn patterns(
    name: &str,
    entries: &[String],
    skipped: &mut Vec<Skipped>,
) -> Result<RegexSet, ListProblem> {
    let mut good = Vec::with_capacity(entries.len());
    let mut bad = Vec::new();
    for (at, entry) in usable(entries, skipped) {
        let pattern = undelimited(entry);
        let one = regex::RegexBuilder::new(&pattern).size_limit(REGEX_BYTES_MAX).build();
        match one {
            Ok(_) => good.push(pattern),
            Err(_) => {
                let why = "the entry is no regular expression, or needs back references";
                skip(&mut bad, (at, entry), why);
            }
        }
    }
    skipped.extend(bad);
    RegexSetBuilder::new(good)
        .size_limit(REGEX_BYTES_MAX)
        .build()
        .map_err(|e| ListProblem::Compile { name: name.to_owned(), cause: e.to_string() })
}

/// `/pattern/i` as MISP writes it, in the syntax of this program.
fn undelimited(entry: &str) -> String {
    let inner = entry.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
    match inner {
        Some((pattern, flags)) if flags.chars().all(|c| "imsu".contains(c)) => {
            let flags: String = flags.chars().filter(|c| *c != 'u').collect();
            let pattern = pattern.replace("\\/", "/");
            if flags.is_empty() { pattern } else { format!("(?{flags}){pattern}") }
        }
        Some(_) | None => entry.to_owned(),
    }
}

/// The host a value names.
fn host(value: &Value) -> Option<String> {
    let kind = value.kind();
    if matches!(kind, ValueKind::Domain | ValueKind::Ipv4 | ValueKind::Ipv6) {
        return Some(value.text().to_owned());
    }
    if kind == ValueKind::Url {
        return url::Url::parse(value.text()).ok()?.host_str().map(str::to_owned);
    }
    let mail = kind == ValueKind::Email;
    value.text().rsplit_once('@').filter(|_| mail).map(|(_, host)| host.to_owned())
}

/// Whether the name or one above it is in the set.
fn below(name: &str, names: &HashSet<String>) -> bool {
    let mut rest = Some(name);
    while let Some(here) = rest {
        if names.contains(here) {
            return true;
        }
        rest = here.split_once('.').map(|(_, above)| above);
    }
    false
}

/// The kinds a list is about; nothing for all.
fn kinds(attributes: &[String]) -> Option<BTreeSet<ValueKind>> {
    if attributes.is_empty() {
        return None;
    }
    let parts = attributes.iter().flat_map(|attribute| attribute.split('|'));
    Some(parts.flat_map(kinds_of_attribute).copied().collect())
}

/// The kinds of values an attribute type of MISP may hold; none where values do not correlate.
#[must_use]
pub fn kinds_of_attribute(attribute: &str) -> &'static [ValueKind] {
    use ValueKind as K;
    match attribute {
        "ip-src" | "ip-dst" | "ip" => &[K::Ipv4, K::Ipv6, K::Net4, K::Net6],
        "domain" | "hostname" => &[K::Domain],
        "url" | "uri" | "link" => &[K::Url],
        "email" | "email-src" | "email-dst" | "email-reply-to" | "eppn" => &[K::Email],
        "mac-address" | "mac-eui-64" => &[K::Mac],
        "AS" => &[K::Asn],
        "md5" => &[K::Md5],
        "sha1" => &[K::Sha1],
        "sha224" => &[K::Sha224],
        "sha256" => &[K::Sha256],
        "sha384" => &[K::Sha384],
        "sha512" => &[K::Sha512],
        "sha3-256" => &[K::Sha3x256],
        "sha3-512" => &[K::Sha3x512],
        "ssdeep" => &[K::Ssdeep],
        "tlsh" => &[K::Tlsh],
        "filename" | "attachment" | "malware-sample" => &[K::FileName, K::Md5],
        "regkey" => &[K::RegistryKey],
        "mutex" => &[K::Mutex],
        "target-user" | "github-username" | "twitter-id" | "jabber-id" => &[K::Account],
        "vulnerability" => &[K::Cve],
        "x509-fingerprint-md5" => &[K::CertificateMd5],
        "x509-fingerprint-sha1" => &[K::CertificateSha1],
        "x509-fingerprint-sha256" => &[K::CertificateSha256],
        "btc" | "xmr" | "dash" => &[K::Wallet],
        "iban" | "bank-account-nr" => &[K::Iban],
        "phone-number" | "whois-registrant-phone" => &[K::Phone],
        "passport-number" | "identity-card-number" => &[K::Document],
        _ => &[],
    }
}
