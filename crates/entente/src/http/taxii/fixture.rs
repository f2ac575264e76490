//! A TAXII server over one file, for other people's conformance suites and for trying clients.
//!
//! The doors are those of a node; only what they open on differs: no rules, no log, no disk. What
//! is posted or deleted lives until the program ends.

mod file;
mod stock;

use super::post::{self, Posted};
use super::query::Query;
use super::shelf::{Collection, Fate, Known, Outcome, Page, Right, Root, Shelf, Spot};
use crate::failure::Failure;
use crate::http::access::{Credential, credential};
use crate::http::errors::Problem;
use crate::http::tls::ShownCertificate;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use model::time::Timestamp;
use node::identity::{same_token, token_digest};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use stock::{Item, Stock};

/// LIMIT: statuses kept of one API root; the oldest make room.
const STATUSES_MAX: usize = 100_000;

/// A collection with what it holds.
struct Shelved {
    id: String,
    alias: Option<String>,
    card: Map<String, Value>,
    stock: Stock,
}

/// Statuses by identifier, with the order they came in.
#[derive(Default)]
struct Statuses {
    known: BTreeMap<String, Vec<u8>>,
    order: std::collections::VecDeque<String>,
}

/// An API root.
struct Tree {
    card: Vec<u8>,
    content_bytes_max: usize,
    collections: Vec<Shelved>,
    statuses: Statuses,
}

/// Everything a file says.
struct Contents {
    /// Digests of passwords by user.
    users: BTreeMap<String, String>,
    /// Users by digests of their bearer tokens.
    tokens: BTreeMap<String, String>,
    /// Users by the fingerprints of their certificates.
    certificates: BTreeMap<String, String>,
    discovery: Option<Vec<u8>>,
    roots: BTreeMap<String, RwLock<Tree>>,
    page_max: usize,
}

/// The fixture.
pub struct Fixture(Contents);

impl Fixture {
    /// Reads a file in one of the forms of the reference server.
    ///
    /// # Errors
    /// The file cannot be read, is not in its form, or contradicts itself.
    pub fn read(path: &Path, page_max: Option<usize>) -> Result<Self, Failure> {
        file::read(path, page_max).map(Self)
    }

    fn tree(&self, root: &str) -> Result<RwLockReadGuard<'_, Tree>, Problem> {
        let tree = self.0.roots.get(root).ok_or_else(|| Problem::of("not_found"))?;
        tree.read().map_err(|_| Problem::of("internal").because("a request broke off"))
    }

    fn tree_mut(&self, root: &str) -> Result<RwLockWriteGuard<'_, Tree>, Problem> {
        let tree = self.0.roots.get(root).ok_or_else(|| Problem::of("not_found"))?;
        tree.write().map_err(|_| Problem::of("internal").because("a request broke off"))
    }
}

impl Shelved {
    fn right(&self, name: &str) -> Right {
        match self.card.get(name).and_then(Value::as_bool) {
            Some(true) => Right::Yes,
            Some(false) | None => Right::No,
        }
    }

    fn told(&self) -> Collection {
        Collection {
            id: self.id.clone(),
            read: self.right("can_read"),
            write: self.right("can_write"),
            card: Value::Object(self.card.clone()).to_string().into_bytes(),
        }
    }

    fn is_called(&self, name: &str) -> bool {
        self.id == name || self.alias.as_deref() == Some(name)
    }

    /// A collection lists every media type it holds.
    fn add_media(&mut self, media: &str) {
        let types = self.card.entry("media_types").or_insert_with(|| json!([]));
        if let Value::Array(types) = types
            && !types.iter().any(|known| known == media)
        {
            types.push(Value::from(media));
        }
    }

    fn take(&mut self, one: Posted, now: Timestamp, outcome: &mut Outcome) {
        let stated = one.version.as_ref().map(|(text, _)| text.clone());
        if let Some(message) = one.fault {
            let version = stated.unwrap_or_else(|| super::write::instant(now));
            outcome.failures.push(Fate { id: one.id, version, message: Some(message) });
            return;
        }
        if let Some(version) = self.stock.held(&one.id, one.version.as_ref().map(|(_, at)| *at)) {
            let message = Some("already here".to_owned());
            outcome.successes.push(Fate { id: one.id, version, message });
            return;
        }
        let media = format!("application/stix+json;version={}", one.spec);
        self.add_media(&media);
        let mark = self.stock.next_mark(now);
        let (version, version_at) =
            one.version.unwrap_or_else(|| (super::write::instant(mark.added_at), mark.added_at));
        outcome.successes.push(Fate {
            id: one.id.clone(),
            version: version.clone(),
            message: None,
        });
        let spec = one.spec.to_owned();
        self.stock.put(
            mark,
            Item { id: one.id, version, version_at, spec, media, content: one.content.into() },
        );
    }
}

impl Statuses {
    fn keep(&mut self, id: String, card: Vec<u8>) {
        self.order.push_back(id.clone());
        self.known.insert(id, card);
        while self.order.len() > STATUSES_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

/// A fresh identifier (UUID version 4).
fn fresh_id() -> Result<String, Problem> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|e| Problem::of("internal").because(e))?;
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    Ok([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
}

impl Shelf for Fixture {
    type Caller = String;
    const WAITS: bool = false;

    fn page_max(&self) -> usize {
        self.0.page_max
    }

    fn enter(&self, parts: &Parts, _now: Timestamp) -> Result<String, Problem> {
        let nobody = || Problem::of("unauthorised");
        if !parts.headers.contains_key(AUTHORIZATION) {
            let shown = parts.extensions.get::<ShownCertificate>().ok_or_else(nobody)?;
            return self.0.certificates.get(&shown.0).cloned().ok_or_else(nobody);
        }
        match credential(&parts.headers).ok_or_else(nobody)? {
            Credential::Basic { user, password } => {
                let stated = token_digest(&password).to_string();
                let known = self.0.users.get(&user).ok_or_else(nobody)?;
                if same_token(known, &stated) { Ok(user) } else { Err(nobody()) }
            }
            Credential::Bearer(token) => {
                let stated = token_digest(&token).to_string();
                self.0.tokens.get(&stated).cloned().ok_or_else(nobody)
            }
        }
    }

    fn discovery(&self, _caller: &String) -> Result<Vec<u8>, Problem> {
        self.0.discovery.clone().ok_or_else(|| Problem::of("not_found"))
    }

    fn root(&self, _caller: &String, root: &str) -> Result<Root, Problem> {
        let tree = self.tree(root)?;
        Ok(Root { card: tree.card.clone(), content_bytes_max: tree.content_bytes_max })
    }

    fn collections(&self, _caller: &String, root: &str) -> Result<Vec<Collection>, Problem> {
        Ok(self.tree(root)?.collections.iter().map(Shelved::told).collect())
    }

    fn collection(&self, _caller: &String, root: &str, name: &str) -> Result<Collection, Problem> {
        let tree = self.tree(root)?;
        let found = tree.collections.iter().find(|one| one.is_called(name));
        found.map(Shelved::told).ok_or_else(|| Problem::of("not_found"))
    }

    fn page(&self, _caller: &String, spot: Spot<'_>, query: &Query) -> Result<Page, Problem> {
        let tree = self.tree(spot.root)?;
        let found = tree.collections.iter().find(|one| one.id == spot.collection.id);
        found.map(|one| one.stock.page(query)).ok_or_else(|| Problem::of("not_found"))
    }

    fn add(
        &self,
        _caller: &String,
        spot: Spot<'_>,
        posted: Vec<Posted>,
        now: Timestamp,
    ) -> Result<Vec<u8>, Problem> {
        let mut tree = self.tree_mut(spot.root)?;
        let found = tree.collections.iter_mut().find(|one| one.id == spot.collection.id);
        let shelved = found.ok_or_else(|| Problem::of("not_found"))?;
        let mut outcome = Outcome::default();
        for one in posted {
            shelved.take(one, now, &mut outcome);
        }
        let id = fresh_id()?;
        let card = post::status(&id, now, &outcome);
        tree.statuses.keep(id, card.clone());
        Ok(card)
    }

    fn delete(&self, _caller: &String, spot: Spot<'_>, query: &Query) -> Result<(), Problem> {
        let mut tree = self.tree_mut(spot.root)?;
        let found = tree.collections.iter_mut().find(|one| one.id == spot.collection.id);
        let shelved = found.ok_or_else(|| Problem::of("not_found"))?;
        match shelved.stock.delete(query) {
            Known::Here => Ok(()),
            Known::Nowhere => Err(Problem::of("not_found")),
        }
    }

    fn status(&self, _caller: &String, root: &str, id: &str) -> Result<Vec<u8>, Problem> {
        let tree = self.tree(root)?;
        tree.statuses.known.get(id).cloned().ok_or_else(|| Problem::of("not_found"))
    }
}
