//! What a client asks of a collection: filters, limit and place. Pure.
//!
//! SOURCE: TAXII 2.1 sections 3.4 and 3.5. Fields are ANDed, values of a field ORed.

use super::shelf::Mark;
use crate::http::errors::Problem;
use crate::http::limits::ADDRESS_BYTES_MAX;
use axum::extract::Query as Pairs;
use axum::http::Uri;
use model::time::Timestamp;
use node::identity::token_digest;
use std::collections::BTreeSet;

/// LIMIT: values of one field.
const VALUES_MAX: usize = 100;
/// Characters of a page's place: two instants, a serial number and a digest, in hexadecimal.
const PLACE_CHARS: usize = 64;

/// What kind of answer is asked for; decides which filters count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Whole objects.
    Envelope,
    /// What there is, without contents.
    Manifest,
    /// Versions of one object.
    Versions,
    /// Nothing: what is chosen is deleted.
    Deletion,
}

/// Which versions of an object are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    /// The newest among those the rest of the query chooses.
    Last,
    /// Every one.
    All,
    /// These: the oldest, the newest, those of these instants.
    These {
        /// The oldest.
        first: bool,
        /// The newest.
        last: bool,
        /// Those of these instants.
        at: BTreeSet<Timestamp>,
    },
}

/// A parsed query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What is answered with.
    pub shape: Shape,
    /// The one object of the address.
    pub object: Option<String>,
    /// Only what was added after this instant.
    pub after: Option<Timestamp>,
    /// Only what stands behind this place.
    pub behind: Option<Mark>,
    /// Objects on the page.
    pub limit: usize,
    /// Only these objects.
    pub ids: Option<BTreeSet<String>>,
    /// Only these types.
    pub kinds: Option<BTreeSet<String>>,
    /// Only these specification versions; absent: the newest of each object.
    pub specs: Option<BTreeSet<String>>,
    /// Only these versions.
    pub versions: Versions,
}

fn bad(what: &str, value: &str, help: &'static str) -> Problem {
    let value: String = value.chars().take(80).collect();
    Problem::of("bad_request").hinting(help).at(format!("`{what}={value}`"))
}

const VALUES_HELP: &str = "give a filter 1 to 100 values parted by commas, none of them empty";
const TIME_HELP: &str = "give a time such as 2026-11-23T12:00:00.000000Z";
const LIMIT_HELP: &str = "give a whole number of 1 or more";
const NEXT_HELP: &str = "give `next` as this server gave it, with the filters of the first request";

fn values(name: &str, text: &str) -> Result<BTreeSet<String>, Problem> {
    let listed: Vec<String> = text.split(',').map(|v| v.trim().to_owned()).collect();
    let fits = |v: &String| !v.is_empty() && v.len() <= model::ids::ID_BYTES_MAX;
    if listed.len() > VALUES_MAX || !listed.iter().all(fits) {
        return Err(bad(name, text, VALUES_HELP));
    }
    Ok(listed.into_iter().collect())
}

/// Whether the text has the form of RFC 3339, `2026-11-23T12:00:00[.…]Z` or with an offset.
fn is_rfc3339(text: &str) -> bool {
    let Some((day, clock)) = text.split_once(['T', 't']) else { return false };
    let digits = |text: &str, counts: &[usize], mark: char| {
        let parts: Vec<&str> = text.split(mark).collect();
        parts.len() == counts.len()
            && parts
                .iter()
                .zip(counts)
                .all(|(p, n)| p.len() == *n && p.bytes().all(|b| b.is_ascii_digit()))
    };
    let (clock, offset) = match clock.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, None),
        None => match clock.rsplit_once(['+', '-']) {
            Some((clock, offset)) => (clock, Some(offset)),
            None => return false,
        },
    };
    let (whole, part) = clock.split_once('.').unwrap_or((clock, "0"));
    digits(day, &[4, 2, 2], '-')
        && digits(whole, &[2, 2, 2], ':')
        && !part.is_empty()
        && part.bytes().all(|b| b.is_ascii_digit())
        && offset.is_none_or(|offset| digits(offset, &[2, 2], ':'))
}

/// Reads an instant; `None` when it is not RFC 3339.
#[must_use]
pub fn instant(text: &str) -> Option<Timestamp> {
    // WHY: a `+` in an unescaped query arrives as a blank.
    let text = text.replace(' ', "+");
    if is_rfc3339(&text) { text.parse().ok() } else { None }
}

fn time(name: &str, text: &str) -> Result<Timestamp, Problem> {
    instant(text).ok_or_else(|| bad(name, text, TIME_HELP))
}

fn versions(text: &str) -> Result<Versions, Problem> {
    const NAME: &str = "match[version]";
    let twice = || bad(NAME, text, "name each version once");
    let (mut words, mut at) = (BTreeSet::new(), BTreeSet::new());
    if text.split(',').count() > VALUES_MAX {
        return Err(bad(NAME, text, VALUES_HELP));
    }
    for value in text.split(',').map(str::trim) {
        let new = match value {
            "first" | "last" | "all" => words.insert(value),
            _other => {
                let help = "give first, last, all or a time such as 2026-11-23T12:00:00.000Z";
                at.insert(instant(value).ok_or_else(|| bad(NAME, text, help))?)
            }
        };
        if !new {
            return Err(twice());
        }
    }
    if !words.contains("all") {
        let (first, last) = (words.contains("first"), words.contains("last"));
        return Ok(Versions::These { first, last, at });
    }
    if words.len() > 1 || !at.is_empty() {
        return Err(bad(NAME, text, "`all` stands alone"));
    }
    Ok(Versions::All)
}

fn limit(text: &str) -> Result<usize, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().unwrap_or(usize::MAX);
    if !digits || number == 0 {
        return Err(bad("limit", text, LIMIT_HELP));
    }
    Ok(number)
}

/// What a page's place says: where it is, and the instant the whole walk began after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    mark: Mark,
    after: Option<Timestamp>,
}

fn hexadecimal(text: &str, at: usize) -> Option<u64> {
    let part = text.get(at..at.checked_add(16)?)?;
    let plain = part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    u64::from_str_radix(part, 16).ok().filter(|_| plain)
}

fn instant_at(text: &str, at: usize) -> Option<Timestamp> {
    Timestamp::from_micros(hexadecimal(text, at)?.cast_signed()).ok()
}

/// No walk begins at this instant; it stands for a walk without `added_after`.
const NEVER: i64 = i64::MIN;

impl Place {
    fn read(text: &str) -> Option<Self> {
        if text.len() != PLACE_CHARS {
            return None;
        }
        let mark = Mark { added_at: instant_at(text, 0)?, serial: hexadecimal(text, 16)? };
        let after = hexadecimal(text, 32)?.cast_signed();
        let after = if after == NEVER { None } else { Some(instant_at(text, 32)?) };
        Some(Self { mark, after })
    }
}

impl Query {
    /// Reads a query; every parameter at most once, nothing malformed passes.
    ///
    /// # Errors
    /// 400, or 414 for a query that is too long.
    pub fn read(
        uri: &Uri,
        object: Option<&str>,
        shape: Shape,
        page_max: usize,
    ) -> Result<Self, Problem> {
        let text = uri.query().unwrap_or_default();
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(Problem::of("address_too_long"));
        }
        let Pairs(pairs) = Pairs::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| bad("?", text, "escape what is not plain"))?;
        let mut query = Self::plain(shape, page_max);
        let (mut seen, mut next) = (BTreeSet::new(), None);
        for (name, value) in pairs {
            if name == "next" {
                next = Some(value.clone());
            } else {
                query.set(&name, &value, page_max)?;
            }
            if !seen.insert(name.clone()) {
                return Err(bad(&name, &value, "give each parameter once"));
            }
        }
        if let Some(object) = object {
            // SOURCE: sections 5.6 to 5.8 filter one object by its versions only.
            query.ids = Some(std::iter::once(object.to_owned()).collect());
            query.kinds = None;
            query.object = Some(object.to_owned());
        }
        if let Some(next) = next {
            query.go_on(uri, &next)?;
        }
        Ok(query)
    }

    /// The query without parameters.
    fn plain(shape: Shape, page_max: usize) -> Self {
        let versions = match shape {
            Shape::Envelope | Shape::Manifest => Versions::Last,
            Shape::Versions | Shape::Deletion => Versions::All,
        };
        Self {
            shape,
            object: None,
            after: None,
            behind: None,
            limit: page_max,
            ids: None,
            kinds: None,
            specs: None,
            versions,
        }
    }

    fn set(&mut self, name: &str, value: &str, page_max: usize) -> Result<(), Problem> {
        match name {
            "added_after" => self.after = Some(time(name, value)?),
            "limit" => self.limit = limit(value)?.min(page_max),
            "match[id]" => self.ids = Some(values(name, value)?),
            "match[type]" => self.kinds = Some(values(name, value)?),
            "match[spec_version]" => self.specs = Some(values(name, value)?),
            "match[version]" => {
                let versions = versions(value)?;
                // SOURCE: section 5.8 lists no such filter for versions; it is read and left.
                if self.shape != Shape::Versions {
                    self.versions = versions;
                }
            }
            // WHY: unknown match fields and custom parameters may be ignored; here they are.
            _other => {}
        }
        Ok(())
    }

    fn go_on(&mut self, uri: &Uri, next: &str) -> Result<(), Problem> {
        let wrong = || bad("next", next, NEXT_HELP);
        let place = Place::read(next).ok_or_else(wrong)?;
        // WHY: a client may leave `added_after` out once it has a place; the place remembers it.
        self.after = self.after.or(place.after);
        if self.place(uri.path(), place.mark) != next {
            return Err(wrong());
        }
        self.behind = Some(place.mark);
        Ok(())
    }

    /// The place behind `mark` as an opaque word, good for this query at this address only.
    #[must_use]
    pub fn place(&self, path: &str, mark: Mark) -> String {
        let after = self.after.map_or(NEVER, Timestamp::micros);
        let place = format!("{:016x}{:016x}{:016x}", mark.added_at.micros(), mark.serial, after);
        let asked = format!(
            "{place} {} {:?} {:?} {:?} {:?} {:?}",
            path.trim_end_matches('/'),
            self.shape,
            self.ids.as_ref().filter(|_| self.object.is_none()),
            self.kinds,
            self.specs,
            self.versions
        );
        let digest = token_digest(&asked).hex();
        format!("{place}{}", digest.get(..16).unwrap_or_default())
    }

    /// Whether only versions of certain instants are asked for.
    #[must_use]
    pub fn named_versions(&self) -> Option<&BTreeSet<Timestamp>> {
        match &self.versions {
            Versions::These { first: false, last: false, at } => Some(at),
            Versions::These { .. } | Versions::Last | Versions::All => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Query, Problem> {
        Query::read(&format!("/x?{query}").parse().unwrap(), None, Shape::Envelope, 100)
    }

    #[test]
    fn what_is_malformed_or_doubled_is_refused() {
        for wrong in [
            "limit=0",
            "limit=-1",
            "limit=+1",
            "limit=x",
            "limit=",
            "limit=1.5",
            "limit=1&limit=2",
            "added_after=garbage",
            "added_after=2026-01-01",
            "added_after=2026-01-01T00:00:00",
            "added_after=2026-13-01T00:00:00Z",
            "added_after=2026-01-01T00:00:00Z&added_after=2026-01-01T00:00:00Z",
            "added_after=2026-01-01T00:00:00Z,2026-01-02T00:00:00Z",
            "next=garbage",
            "next=00",
            "next=",
            "match[type]=a&match[type]=b",
            "match[version]=all,last",
            "match[version]=first,first",
            "match[version]=2026-01-01T00:00:00Z,2026-01-01T00:00:00.000Z",
            "match[version]=",
            "match[id]=",
            "match[version]=yesterday",
            "match[type]=a,,b",
        ] {
            let problem = read(wrong).expect_err(wrong);
            assert_eq!(problem.status.as_u16(), 400, "{wrong}");
        }
    }

    #[test]
    fn real_clients_times_are_understood() {
        let zero: Timestamp = "2016-01-01T00:00:00Z".parse().unwrap();
        for good in
            ["2016-01-01T00:00:00Z", "2016-01-01T00:00:00.000000Z", "2016-01-01T00:00:00+00:00"]
        {
            assert_eq!(read(&format!("added_after={good}")).unwrap().after, Some(zero), "{good}");
        }
        assert_eq!(read("limit=99999999999999999999999").unwrap().limit, 100);
        let both = Versions::These { first: true, last: true, at: BTreeSet::new() };
        assert_eq!(read("x_custom=1&match[version]=first,last").unwrap().versions, both);
    }

    #[test]
    fn a_place_is_good_for_its_own_query_only() {
        let after = "added_after=2016-01-01T00:00:00Z";
        let first = read(&format!("match[type]=a,b&{after}&limit=5")).unwrap();
        let mark = Mark { added_at: "2020-01-01T00:00:00Z".parse().unwrap(), serial: 7 };
        let next = first.place("/x/", mark);
        for good in [
            format!("match[type]=b,a&{after}&limit=9&next={next}"),
            format!("match[type]=a,b&next={next}"),
        ] {
            let again = read(&good).unwrap();
            assert_eq!((again.behind, again.after), (Some(mark), first.after), "{good}");
        }
        for wrong in [
            format!("{after}&next={next}"),
            format!("match[type]=a&{after}&next={next}"),
            format!("match[type]=a,b&added_after=2017-01-01T00:00:00Z&next={next}"),
            format!("match[type]=a,b&match[version]=all&{after}&next={next}"),
        ] {
            assert!(read(&wrong).is_err(), "{wrong}");
        }
        let elsewhere = format!("/y?match[type]=a,b&{after}&next={next}").parse().unwrap();
        assert!(Query::read(&elsewhere, None, Shape::Envelope, 100).is_err());
    }
}
