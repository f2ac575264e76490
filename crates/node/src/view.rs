//! The view: everything held, prepared for the rules, in memory beside the store.
//!
//! It is derived from snapshots alone and decides nothing. A row of the store counts the
//! generations of what is held; each commit that touches a record writes the next number and first
//! tells the view which records it touches. A reader brings its own snapshot: the view is used
//! only as of exactly that snapshot's generation, and is brought there by preparing the touched
//! records again, from that same snapshot. So it is never ahead of a reader nor behind it, whatever
//! the writer does meanwhile; where it cannot be brought there cheaply, the reader goes to the
//! store record by record and gets the same answers later.
//!
//! INVARIANT: the touched records of generation n are noted before generation n can be read.
//! LIMIT: rules change the catalogue of shapes only; a marking definition that changes its meaning
//! has the view built anew.

mod audience;
mod cuts;
mod row;
mod state;

pub(crate) use audience::{Goes, Round, audience};
pub(crate) use cuts::Cuts;
pub use cuts::Kept;
pub(crate) use state::State;

use crate::error::NodeError;
use crate::facts::Facts;
use crate::tables::{self, Table, key};
use model::ids::RecordId;
use protocol::Rules;
use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use store::Snapshot;

/// LIMIT: touched records remembered; a view further behind is built anew.
const TOUCHED_MAX: usize = 262_144;
/// LIMIT: records a reader in a hurry prepares again before it goes to the store instead.
const CATCH_UP_MAX: usize = 512;
/// LIMIT: generations kept for readers whose snapshots are older than the newest view.
const KEPT_MAX: usize = 8;

/// How much a reader is ready to do for a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Take it as it is, or prepare a few records.
    Small,
    /// Whatever it takes.
    Whole,
}

/// The view of one node, shared by its writer and its readers.
#[derive(Default)]
pub struct View {
    known: Mutex<Known>,
    /// Held by whoever prepares, so that no work is done twice.
    work: Mutex<()>,
    /// A reader went without it.
    missed: AtomicBool,
    /// What was cut out of contents lately.
    pub(crate) cuts: Arc<Cuts>,
}

#[derive(Default)]
struct Known {
    /// Newest last.
    states: VecDeque<Arc<State>>,
    touched: VecDeque<(u64, Vec<RecordId>)>,
    touched_count: usize,
    /// What was touched at and before this generation is not remembered.
    floor: u64,
    /// Whether anybody asked for the view: until then nothing is remembered.
    wanted: bool,
}

/// The generation of what is held, as a snapshot has it.
///
/// # Errors
/// The store failed or the row is damaged.
pub(crate) fn generation(snapshot: &dyn Snapshot) -> Result<u64, NodeError> {
    Ok(tables::read(snapshot, &generation_key(), "counter")?.unwrap_or(0))
}

/// The row that counts generations.
pub(crate) fn generation_key() -> Vec<u8> {
    key(Table::Counter, &[b"held"])
}

impl View {
    /// Notes what a commit is about to touch. Called by the writer before it commits.
    pub(crate) fn touch(&self, generation: u64, records: BTreeSet<RecordId>) {
        let mut known = self.known();
        // WHY: a commit that failed before is tried again under the same number.
        while known.touched.back().is_some_and(|(later, _)| *later >= generation) {
            let dropped = known.touched.pop_back().map_or(0, |(_, records)| records.len());
            known.touched_count = known.touched_count.saturating_sub(dropped);
        }
        if !known.wanted {
            known.floor = generation;
            return;
        }
        known.touched_count = known.touched_count.saturating_add(records.len());
        known.touched.push_back((generation, records.into_iter().collect()));
        while known.touched_count > TOUCHED_MAX {
            let Some((dropped, records)) = known.touched.pop_front() else { return };
            known.floor = known.floor.max(dropped);
            known.touched_count = known.touched_count.saturating_sub(records.len());
        }
    }

    /// Whether a reader went to the store because the view was not there, and since the last call.
    pub fn was_missed(&self) -> bool {
        self.missed.swap(false, Ordering::Relaxed)
    }

    /// Builds the view as of these facts, or brings it there; how many records it holds.
    ///
    /// # Errors
    /// The store failed, a row is damaged, or no vocabulary is adopted.
    pub fn warm(&self, facts: &Facts<'_>) -> Result<usize, NodeError> {
        Ok(self.at(facts, Effort::Whole)?.map_or(0, |state| state.len()))
    }

    /// The view as of exactly these facts; nothing where that would take more than the effort.
    pub(crate) fn at(
        &self,
        facts: &Facts<'_>,
        effort: Effort,
    ) -> Result<Option<Arc<State>>, NodeError> {
        let Some(rules) = facts.rules.as_deref() else { return Ok(None) };
        let generation = generation(facts.snapshot)?;
        if let Some(state) = self.kept(generation, rules) {
            return Ok(Some(state));
        }
        let found = match effort {
            Effort::Whole => {
                self.known().wanted = true;
                let working = self.work.lock().unwrap_or_else(PoisonError::into_inner);
                let found = self.brought(facts, rules, (generation, usize::MAX))?;
                let found = match found {
                    Some(state) => state,
                    None => Arc::new(State::build(facts, rules, generation)?),
                };
                self.keep(&found);
                drop(working);
                Some(found)
            }
            Effort::Small => match self.work.try_lock() {
                Ok(_working) => self.brought(facts, rules, (generation, CATCH_UP_MAX))?,
                Err(TryLockError::Poisoned(_) | TryLockError::WouldBlock) => None,
            },
        };
        match &found {
            Some(state) => self.keep(state),
            None => self.missed.store(true, Ordering::Relaxed),
        }
        Ok(found)
    }

    /// A kept view brought to this generation and these rules, if that is cheap.
    fn brought(
        &self,
        facts: &Facts<'_>,
        rules: &Rules,
        (generation, records_max): (u64, usize),
    ) -> Result<Option<Arc<State>>, NodeError> {
        if let Some(state) = self.kept(generation, rules) {
            return Ok(Some(state));
        }
        let Some((state, touched)) = self.nearest(generation) else { return Ok(None) };
        let state = match state.catalogue.is_for(rules) {
            true => state,
            false => Arc::new(state.compiled_for(rules)),
        };
        if touched.len() > records_max {
            return Ok(None);
        }
        if state.generation == generation {
            return Ok(Some(state));
        }
        Ok(state.changed(facts, rules, (touched, generation))?.map(Arc::new))
    }

    /// The newest view kept that is not ahead, and what was touched since.
    fn nearest(&self, generation: u64) -> Option<(Arc<State>, BTreeSet<RecordId>)> {
        let known = self.known();
        let mut kept = known.states.iter().rev();
        let state = kept.find(|state| state.generation <= generation)?;
        if state.generation < known.floor {
            return None;
        }
        let since = known.touched.iter().filter(|(n, _)| *n > state.generation && *n <= generation);
        let touched = since.flat_map(|(_, records)| records.iter().cloned()).collect();
        Some((Arc::clone(state), touched))
    }

    fn kept(&self, generation: u64, rules: &Rules) -> Option<Arc<State>> {
        let known = self.known();
        let fits =
            |state: &&Arc<State>| state.generation == generation && state.catalogue.is_for(rules);
        known.states.iter().rev().find(fits).cloned()
    }

    fn keep(&self, state: &Arc<State>) {
        let mut known = self.known();
        let newest = known.states.back().is_none_or(|last| last.generation <= state.generation);
        if !newest || known.states.iter().any(|kept| Arc::ptr_eq(kept, state)) {
            return;
        }
        known.states.push_back(Arc::clone(state));
        while known.states.len() > KEPT_MAX {
            known.states.pop_front();
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // WHY: nothing between lock and unlock can stop half-way with the lists changed in part.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
