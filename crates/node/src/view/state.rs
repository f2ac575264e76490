//! The view at one generation: rows in leaves by name, shared with the generations around it.

use super::row::{Kinds, Name, Places, Rest, Row, Version};
use crate::Body;
use crate::error::NodeError;
use crate::facts::{Facts, Meanings, Scoped, is_posted};
use crate::tables::{Table, key};
use model::custody::Custody;
use model::ids::RecordId;
use protocol::{Catalogue, ESSENTIAL_REFS, Rules};
use std::collections::BTreeSet;
use std::sync::Arc;
use wire::stix::Markings;

/// Rows of a leaf before it is split in two.
const LEAF_ROWS_MAX: usize = 512;
/// LIMIT: distinct limits and references kept apart to be shared while a view is built.
const SHARED_MAX: usize = 4_096;
/// LIMIT: distinct places of fields kept; a record beyond is cut from the store.
const PLACES_MAX: usize = 4_096;
/// Where the types of marking definitions begin.
const MARKING: &str = "marking-definition--";

#[derive(Debug, Clone, Default)]
struct Leaf {
    names: Vec<Name>,
    rows: Vec<Row>,
}

/// Everything held, as of one generation, compiled for one set of rules. Immutable.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) generation: u64,
    pub(crate) catalogue: Arc<Catalogue>,
    kinds: Arc<Kinds>,
    leaves: Vec<Arc<Leaf>>,
    /// Records whose names have no compact form: decided on from the store.
    others: Arc<BTreeSet<RecordId>>,
    /// What the marking definitions met meant.
    definitions: Arc<Meanings>,
    /// Where fields stand: most records of a type have them in the same places.
    places: Arc<BTreeSet<Arc<Places>>>,
}

/// A change to a view: a row, or none where nothing is held.
type Change = (Name, Option<Row>);

impl State {
    /// The row of a record.
    pub(crate) fn find(&self, name: Name) -> Option<&Row> {
        let after = self
            .leaves
            .partition_point(|leaf| leaf.names.first().is_some_and(|first| *first <= name));
        let leaf = self.leaves.get(after.checked_sub(1)?)?;
        leaf.rows.get(leaf.names.binary_search(&name).ok()?)
    }

    /// The compact form of an identifier; nothing if no such record is held or pointed to.
    pub(crate) fn name(&self, id: &str) -> Option<Name> {
        self.kinds.find(id)
    }

    /// The identifier of a name.
    pub(crate) fn id(&self, name: Name) -> Option<RecordId> {
        self.kinds.id(name)
    }

    /// Whether a record has to be decided on from the store for its name.
    pub(crate) fn is_other(&self, id: &str) -> bool {
        !self.others.is_empty() && self.others.iter().any(|other| other.as_str() == id)
    }

    /// Records decided on from the store for their names.
    pub(crate) fn others(&self) -> impl Iterator<Item = &RecordId> {
        self.others.iter()
    }

    /// Visits every row, by the text of its identifier.
    pub(crate) fn visit(
        &self,
        visit: &mut dyn FnMut(Name, &Row) -> Result<(), NodeError>,
    ) -> Result<(), NodeError> {
        for kind in self.kinds.in_order() {
            let first = Name::first_of(kind);
            let start = self
                .leaves
                .partition_point(|leaf| leaf.names.last().is_some_and(|last| *last < first));
            for leaf in self.leaves.iter().skip(start) {
                let rows = leaf.names.iter().zip(&leaf.rows);
                let own = rows.skip_while(|(name, _)| **name < first);
                for (name, row) in own.take_while(|(name, _)| name.kind() == kind) {
                    visit(*name, row)?;
                }
                if leaf.names.last().is_none_or(|last| last.kind() > kind) {
                    break;
                }
            }
        }
        Ok(())
    }

    /// How many records it holds.
    pub(crate) fn len(&self) -> usize {
        let rows = self.leaves.iter().map(|leaf| leaf.rows.len());
        rows.fold(self.others.len(), usize::saturating_add)
    }

    /// The same, compiled for other rules.
    pub(super) fn compiled_for(&self, rules: &Rules) -> Self {
        let catalogue = Arc::new(self.catalogue.compiled_for(rules));
        Self { catalogue, ..self.clone() }
    }

    /// Places of fields, shared with the records that have them in the same places; nothing where
    /// there are none, or no room.
    fn intern(&mut self, places: Places) -> Option<Arc<Places>> {
        if let Some(known) = self.places.get(&places) {
            return Some(Arc::clone(known));
        }
        if places.is_empty() || self.places.len() >= PLACES_MAX {
            return None;
        }
        let places = Arc::new(places);
        Arc::make_mut(&mut self.places).insert(Arc::clone(&places));
        Some(places)
    }

    /// Reads everything held. Cost: each record is read and viewed once.
    pub(super) fn build(
        facts: &Facts<'_>,
        rules: &Rules,
        generation: u64,
    ) -> Result<Self, NodeError> {
        let any = "any".parse().map_err(|e| NodeError::damaged("newest", e))?;
        let mut work = Work::new(Self {
            generation,
            catalogue: Arc::new(Catalogue::new(rules, any)),
            kinds: Arc::default(),
            leaves: Vec::new(),
            others: Arc::default(),
            definitions: Arc::default(),
            places: Arc::default(),
        });
        let (mut ids, mut failure): (Vec<RecordId>, _) = (Vec::new(), None);
        facts.snapshot.scan(&key(Table::Newest, &[]), &mut |row, _| {
            let id = row.get(1..).and_then(|row| row.split(|byte| *byte == 0).next());
            let id = id.and_then(|id| std::str::from_utf8(id).ok()).unwrap_or_default();
            if ids.last().is_some_and(|last| last.as_str() == id) {
                return true;
            }
            match id.parse() {
                Ok(id) => ids.push(id),
                Err(error) => failure = Some(NodeError::damaged("newest", error)),
            }
            failure.is_none()
        })?;
        if let Some(error) = failure {
            return Err(error);
        }
        let mut changes = Vec::with_capacity(ids.len());
        for id in ids {
            changes.extend(work.prepare(facts, rules, &id)?);
        }
        work.finish(facts, changes, generation)
    }

    /// This view with these records as they are now; nothing where it has to be built anew.
    pub(super) fn changed(
        &self,
        facts: &Facts<'_>,
        rules: &Rules,
        (ids, generation): (BTreeSet<RecordId>, u64),
    ) -> Result<Option<Self>, NodeError> {
        let mut ids = ids;
        for definition in ids.clone().iter().filter(|id| id.as_str().starts_with(MARKING)) {
            for (reader, known) in self.definitions.get(definition.as_str()).into_iter().flatten() {
                let meaning = Scoped { facts, reader }.definition(definition.as_str());
                if meaning.as_ref() != Some(known) {
                    return Ok(None);
                }
            }
            ids.extend(self.unresolved(definition.as_str()));
        }
        let mut work = Work::new(self.clone());
        let mut changes = Vec::with_capacity(ids.len());
        for id in ids {
            changes.extend(work.prepare(facts, rules, &id)?);
        }
        work.finish(facts, changes, generation).map(Some)
    }

    /// Records that bear a marking which nobody here could resolve.
    fn unresolved(&self, definition: &str) -> BTreeSet<RecordId> {
        let bears =
            |marks: &model::marking::Marks| marks.unresolved.iter().any(|m| m == definition);
        let shapes: BTreeSet<_> = self
            .catalogue
            .matching(|record| bears(&record.marks) || record.field_marks.values().any(bears))
            .collect();
        let rows = self.leaves.iter().flat_map(|leaf| leaf.names.iter().zip(&leaf.rows));
        // A row without a shape says nothing of its markings, and needs none: it is not answered.
        let bearing =
            rows.filter(|(_, row)| row.shape.is_some_and(|shape| shapes.contains(&shape)));
        bearing.filter_map(|(name, _)| self.id(*name)).collect()
    }
}

/// A state in the making.
struct Work {
    state: State,
    shared: BTreeSet<Arc<Rest>>,
    /// Whether anything stands in a collection that partners write, once asked.
    any_placed: Option<bool>,
}

impl Work {
    fn new(state: State) -> Self {
        Self { state, shared: BTreeSet::new(), any_placed: None }
    }

    /// What a record is now; nothing for one without a compact name, which is noted.
    fn prepare(
        &mut self,
        facts: &Facts<'_>,
        rules: &Rules,
        id: &RecordId,
    ) -> Result<Option<Change>, NodeError> {
        let found = facts.assertion(id)?;
        let Some(name) = Arc::make_mut(&mut self.state.kinds).name(id.as_str()) else {
            let others = Arc::make_mut(&mut self.state.others);
            if found.is_some() {
                others.insert(id.clone());
            } else {
                others.remove(id);
            }
            return Ok(None);
        };
        let row = match found {
            Some((custody, body)) => Some(self.row(facts, rules, (&custody, &body))?),
            None => None,
        };
        Ok(Some((name, row)))
    }

    fn row(
        &mut self,
        facts: &Facts<'_>,
        rules: &Rules,
        (custody, body): (&Custody, &Body),
    ) -> Result<Row, NodeError> {
        let mut record = facts.view(custody, body)?;
        let mut refs = Vec::with_capacity(record.refs.len());
        let kinds = Arc::make_mut(&mut self.state.kinds);
        let mut known = true;
        for (target, places) in &record.refs {
            let essential = places.iter().any(|place| ESSENTIAL_REFS.contains(&place.as_str()));
            match kinds.name(target.as_str()) {
                Some(name) => refs.push((name, essential)),
                None => known = false,
            }
        }
        let places = std::mem::take(&mut record.fields);
        // WHY: the shape keeps the names of the fields alone.
        record.fields = places.keys().map(|field| (field.clone(), Vec::new())).collect();
        let places = self.state.intern(places);
        let entered = Arc::make_mut(&mut self.state.catalogue).enter(rules, record);
        // WHY: what a partner posted goes by a consent that rests on where it stands.
        let placed = self.is_placed(facts, custody)?;
        let entered = entered.filter(|_| known && !placed);
        let own = entered.map(|(_, own)| own).unwrap_or_default();
        let rest = self.share(Rest { own, refs: refs.into_boxed_slice(), places });
        Ok(Row {
            shape: entered.map(|(shape, _)| shape),
            version: Version::of(&custody.version),
            spec: body.spec(),
            rest,
        })
    }

    /// Whether an assertion stands in a collection that partners write.
    fn is_placed(&mut self, facts: &Facts<'_>, custody: &Custody) -> Result<bool, NodeError> {
        if custody.originator == *facts.own || is_posted(custody) {
            return Ok(is_posted(custody));
        }
        let any = match self.any_placed {
            Some(any) => any,
            None => crate::place::any(facts.snapshot)?,
        };
        self.any_placed = Some(any);
        let (id, originator) = (&custody.id, &custody.originator);
        Ok(any && !crate::place::placements(facts.snapshot, id, originator)?.is_empty())
    }

    fn share(&mut self, rest: Rest) -> Option<Arc<Rest>> {
        if rest == Rest::default() {
            return None;
        }
        if let Some(known) = self.shared.get(&rest) {
            return Some(Arc::clone(known));
        }
        let rest = Arc::new(rest);
        if self.shared.len() < SHARED_MAX {
            self.shared.insert(Arc::clone(&rest));
        }
        Some(rest)
    }

    fn finish(
        mut self,
        facts: &Facts<'_>,
        mut changes: Vec<Change>,
        generation: u64,
    ) -> Result<State, NodeError> {
        changes.sort_by_key(|(name, _)| *name);
        let leaves = std::mem::take(&mut self.state.leaves);
        self.state.leaves = merged(leaves, changes);
        let met = facts.definitions_met();
        if met.iter().any(|(id, of)| self.state.definitions.get(id) != Some(of)) {
            let known = Arc::make_mut(&mut self.state.definitions);
            for (id, of) in met {
                known.entry(id).or_default().extend(of);
            }
        }
        self.state.generation = generation;
        Ok(self.state)
    }
}

/// The leaves with the changes, which are in order. Cost: the leaves touched, and one pointer for
/// each other leaf.
fn merged(leaves: Vec<Arc<Leaf>>, changes: Vec<Change>) -> Vec<Arc<Leaf>> {
    let mut out = Vec::with_capacity(leaves.len());
    let mut changes = changes.into_iter().peekable();
    let mut leaves = leaves.into_iter().peekable();
    if leaves.peek().is_none() {
        cut(Leaf::default().with(changes), &mut out);
        return out;
    }
    while let Some(leaf) = leaves.next() {
        let end = leaves.peek().and_then(|next| next.names.first().copied());
        let mut own = Vec::new();
        while let Some(change) = changes.next_if(|(name, _)| end.is_none_or(|end| *name < end)) {
            own.push(change);
        }
        if own.is_empty() {
            out.push(leaf);
        } else {
            cut(Leaf::clone(&leaf).with(own.into_iter()), &mut out);
        }
    }
    out
}

/// Divides rows into leaves of half the limit, where they are more than fit.
fn cut(mut leaf: Leaf, out: &mut Vec<Arc<Leaf>>) {
    let size = if leaf.names.len() > LEAF_ROWS_MAX { LEAF_ROWS_MAX >> 1 } else { LEAF_ROWS_MAX };
    while !leaf.names.is_empty() {
        let at = size.min(leaf.names.len());
        let rest = Leaf { names: leaf.names.split_off(at), rows: leaf.rows.split_off(at) };
        leaf.names.shrink_to_fit();
        leaf.rows.shrink_to_fit();
        out.push(Arc::new(std::mem::replace(&mut leaf, rest)));
    }
}

impl Leaf {
    /// With these changes, which are in order.
    fn with(self, changes: impl Iterator<Item = Change>) -> Self {
        let mut out = Self::default();
        let mut rows = self.names.into_iter().zip(self.rows).peekable();
        for (name, row) in changes {
            while let Some((known, row)) = rows.next_if(|(known, _)| *known < name) {
                out.push(known, row);
            }
            let _replaced = rows.next_if(|(known, _)| *known == name);
            if let Some(row) = row {
                out.push(name, row);
            }
        }
        rows.for_each(|(name, row)| out.push(name, row));
        out
    }

    fn push(&mut self, name: Name, row: Row) {
        self.names.push(name);
        self.rows.push(row);
    }
}
