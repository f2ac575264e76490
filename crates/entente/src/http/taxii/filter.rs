//! What a client asks of a collection: filters, limit and place. Pure.
//!
//! SOURCE: TAXII 2.1 sections 3.4 and 3.5. Fields are ANDed, values of a field ORed.

use crate::http::errors::Problem;
use crate::http::limits::ADDRESS_BYTES_MAX;
use axum::extract::Query;
use axum::http::Uri;
use model::time::Timestamp;
use node::pages::{Depth, Versions, Wanted};
use std::collections::BTreeSet;

/// LIMIT: objects on a page, and the default.
pub const PAGE_MAX: usize = 1_000;
/// LIMIT: values of one field.
const VALUES_MAX: usize = 100;

/// A parsed query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Only what was added after this instant.
    pub after: Option<Timestamp>,
    /// Objects on the page.
    pub limit: usize,
    /// Only these objects.
    pub ids: Option<BTreeSet<String>>,
    kinds: Option<BTreeSet<String>>,
    specs: Option<BTreeSet<&'static str>>,
    versions: Versions,
}

fn bad(help: &'static str) -> Problem {
    Problem::of("bad_request").hinting(help)
}

fn values(text: &str) -> Result<BTreeSet<String>, Problem> {
    let values: BTreeSet<String> = text.split(',').map(|v| v.trim().to_owned()).collect();
    let fits = |v: &String| !v.is_empty() && v.len() <= model::ids::ID_BYTES_MAX;
    if values.len() > VALUES_MAX || !values.iter().all(fits) {
        return Err(bad("give a filter 1 to 100 values, none of them empty"));
    }
    Ok(values)
}

fn instant(text: &str) -> Result<Timestamp, Problem> {
    // WHY: a `+` in an unescaped query arrives as a blank.
    text.replace(' ', "+")
        .parse()
        .map_err(|_| bad("give times such as 2026-11-23T12:00:00.000000Z"))
}

fn versions(text: &str) -> Result<Versions, Problem> {
    let (mut words, mut times) = (BTreeSet::new(), BTreeSet::new());
    for value in values(text)? {
        match value.as_str() {
            "first" | "last" | "all" => {
                words.insert(value);
            }
            _other => {
                times.insert(instant(&value)?);
            }
        }
    }
    if words.contains("all") && (words.len() > 1 || !times.is_empty()) {
        return Err(bad("`all` excludes other versions"));
    }
    let (first, last) = (words.contains("first"), words.contains("last"));
    let all = words.contains("all");
    Ok(if all { Versions::All } else { Versions::Some { first, last, at: times } })
}

/// A page's place as an opaque word.
#[must_use]
pub fn place(after: Timestamp) -> String {
    format!("{:016x}", after.micros())
}

fn after_place(text: &str) -> Result<Timestamp, Problem> {
    let form = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let micros = i64::from_str_radix(text, 16).ok().filter(|_| form);
    micros
        .and_then(|micros| Timestamp::from_micros(micros).ok())
        .ok_or_else(|| bad("give `next` as this node gave it"))
}

impl Filter {
    /// Reads a query; every parameter at most once, nothing malformed passes.
    ///
    /// # Errors
    /// 400, or 414 for a query that is too long.
    pub fn read(uri: &Uri) -> Result<Self, Problem> {
        if uri.query().is_some_and(|query| query.len() > ADDRESS_BYTES_MAX) {
            return Err(Problem::of("address_too_long"));
        }
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| bad("the query cannot be read; escape what is not plain"))?;
        let mut filter = Self {
            after: None,
            limit: PAGE_MAX,
            ids: None,
            kinds: None,
            specs: None,
            versions: Versions::All,
        };
        let mut seen = BTreeSet::new();
        for (name, value) in pairs {
            filter.set(&name, &value)?;
            if !seen.insert(name) {
                return Err(bad("give each parameter once"));
            }
        }
        Ok(filter)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        match name {
            "added_after" => self.after = self.after.max(Some(instant(value)?)),
            "next" => self.after = self.after.max(Some(after_place(value)?)),
            "limit" => {
                let limit: usize = value.parse().map_err(|_| bad("give a limit of 1 or more"))?;
                if limit == 0 || !value.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(bad("give a limit of 1 or more"));
                }
                self.limit = limit.min(PAGE_MAX);
            }
            "match[id]" => self.ids = Some(values(value)?),
            "match[type]" => self.kinds = Some(values(value)?),
            "match[spec_version]" => {
                let known = values(value)?;
                self.specs =
                    Some(["2.0", "2.1"].into_iter().filter(|s| known.contains(*s)).collect());
            }
            "match[version]" => self.versions = versions(value)?,
            // WHY: unknown match fields and custom parameters may be ignored; here they are.
            _other => {}
        }
        Ok(())
    }

    /// What the node is asked.
    #[must_use]
    pub fn wanted(&self, depth: Depth) -> Wanted {
        Wanted {
            after: self.after,
            limit: self.limit,
            ids: self.ids.clone(),
            kinds: self.kinds.clone(),
            specs: self.specs.clone(),
            versions: self.versions.clone(),
            depth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Filter, Problem> {
        Filter::read(&format!("/x?{query}").parse().unwrap())
    }

    #[test]
    fn what_is_malformed_or_doubled_is_refused() {
        for wrong in [
            "limit=0",
            "limit=-1",
            "limit=+1",
            "limit=x",
            "limit=1&limit=2",
            "added_after=garbage",
            "added_after=2026-01-01T00:00:00Z&added_after=2026-01-01T00:00:00Z",
            "next=garbage",
            "next=00",
            "match[type]=a&match[type]=b",
            "match[version]=all,last",
            "match[id]=",
            "match[version]=yesterday",
            "match[type]=a,,b",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn real_clients_times_and_places_are_understood() {
        let zero: Timestamp = "2016-01-01T00:00:00Z".parse().unwrap();
        for good in
            ["2016-01-01T00:00:00Z", "2016-01-01T00:00:00.000000Z", "2016-01-01T00:00:00+00:00"]
        {
            assert_eq!(read(&format!("added_after={good}")).unwrap().after, Some(zero), "{good}");
        }
        let next = place(zero);
        assert_eq!(read(&format!("next={next}&limit=5")).unwrap().after, Some(zero));
        assert_eq!(read("limit=99999999").unwrap().limit, PAGE_MAX);
        assert_eq!(read("x_custom=1&match[version]=all").unwrap().versions, Versions::All);
    }
}
