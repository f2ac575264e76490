//! Shapes: what many records have in common for the rules, compiled once. Pure.
//!
//! Records of one origin differ in name, references and instants and are otherwise alike: same
//! type, markings, grade, fields. A [`Catalogue`] keeps each such shape once, compiled for one
//! engine; of a single record only a number and its [`Own`] limits are left. What the gate answers
//! for shapes: [`crate::release::Inquiry`].
//!
//! INVARIANT: two records of one shape with equal limits get the same answer to every question in
//! which no consent names either of them.

use crate::engine::{Engine, Prepared};
use model::ids::{AgencyId, RecordId};
use model::record::Record;
use model::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;

/// LIMIT: shapes in one catalogue; a record of a further shape is decided on by itself.
pub const SHAPES_MAX: usize = 65_536;

/// The number of a shape in one catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShapeNumber(u32);

impl ShapeNumber {
    /// As an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a record has by itself, as far as a verdict looks at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Own {
    /// No longer valid from this instant on.
    pub valid_until: Option<Timestamp>,
    /// The provider's own limit on how long a recipient may keep it.
    pub provider_limit: Option<Timestamp>,
}

#[derive(Debug)]
pub(crate) struct Shape {
    /// Without name, references, places of fields and own limits.
    pub(crate) record: Record,
    pub(crate) prepared: Prepared,
}

/// The shapes met so far, compiled for one engine. Numbers never change; a clone shares the shapes.
#[derive(Debug, Clone)]
pub struct Catalogue {
    stamp: u64,
    shapes: Vec<Arc<Shape>>,
    by_hash: BTreeMap<u64, Vec<u32>>,
    nameless: RecordId,
}

impl Catalogue {
    /// An empty catalogue for an engine; `any` is some identifier, which no answer will name.
    #[must_use]
    pub fn new(engine: &Engine, any: RecordId) -> Self {
        let (shapes, by_hash) = (Vec::new(), BTreeMap::new());
        Self { stamp: engine.stamp(), shapes, by_hash, nameless: any }
    }

    /// Whether it was compiled for this engine.
    #[must_use]
    pub fn is_for(&self, engine: &Engine) -> bool {
        self.stamp == engine.stamp()
    }

    /// The same shapes under the same numbers, compiled for another engine. Cost: one
    /// [`Engine::prepare`] a shape.
    #[must_use]
    pub fn compiled_for(&self, engine: &Engine) -> Self {
        let again = |shape: &Arc<Shape>| {
            let record = shape.record.clone();
            Arc::new(Shape { prepared: engine.prepare(&record), record })
        };
        Self {
            stamp: engine.stamp(),
            shapes: self.shapes.iter().map(again).collect(),
            by_hash: self.by_hash.clone(),
            nameless: self.nameless.clone(),
        }
    }

    /// The shape of a record, entered if it is new; nothing where the catalogue is full or was
    /// compiled for another engine. Cost: linear in the labels and fields of the record.
    pub fn enter(&mut self, engine: &Engine, mut record: Record) -> Option<(ShapeNumber, Own)> {
        if !self.is_for(engine) {
            return None;
        }
        let own = Own {
            valid_until: record.valid_until.take(),
            provider_limit: record.provider_limit.take(),
        };
        record.id = self.nameless.clone();
        record.refs.clear();
        record.fields.values_mut().for_each(Vec::clear);
        let hash = digest(&record);
        let alike = self.by_hash.get(&hash).map_or(&[][..], Vec::as_slice);
        let known = alike.iter().find(|number| {
            self.shapes.get(**number as usize).is_some_and(|shape| shape.record == record)
        });
        if let Some(number) = known {
            return Some((ShapeNumber(*number), own));
        }
        let number = u32::try_from(self.shapes.len()).ok().filter(|_| self.has_room())?;
        self.shapes.push(Arc::new(Shape { prepared: engine.prepare(&record), record }));
        self.by_hash.entry(hash).or_default().push(number);
        Some((ShapeNumber(number), own))
    }

    fn has_room(&self) -> bool {
        self.shapes.len() < SHAPES_MAX
    }

    /// How many shapes it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shapes.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    /// The shapes whose records pass a test, which looks at what a shape keeps.
    pub fn matching(&self, test: impl Fn(&Record) -> bool) -> impl Iterator<Item = ShapeNumber> {
        let numbered = (0_u32..).zip(&self.shapes);
        numbered.filter(move |(_, shape)| test(&shape.record)).map(|(n, _)| ShapeNumber(n))
    }

    /// Whose records have this shape.
    #[must_use]
    pub fn originator(&self, number: ShapeNumber) -> Option<&AgencyId> {
        self.shape(number).map(|shape| &shape.record.originator)
    }

    pub(crate) fn shape(&self, number: ShapeNumber) -> Option<&Shape> {
        self.shapes.get(number.index()).map(AsRef::as_ref)
    }
}

/// WHY: only to find candidates quickly; what is alike is compared in full.
fn digest(record: &Record) -> u64 {
    struct Feed(DefaultHasher);
    impl std::fmt::Write for Feed {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.write(text.as_bytes());
            Ok(())
        }
    }
    let mut feed = Feed(DefaultHasher::new());
    match write!(feed, "{record:?}") {
        Ok(()) | Err(std::fmt::Error) => feed.0.finish(),
    }
}
