//! A disk that can fail: a crash before or after a commit became durable, and rows that never
//! reach it.
//!
//! What is durable outlives the node: a reopened node finds exactly what its last durable commit
//! left. Every durable commit is shown to the watch, with the state before it.

use crate::watch::Watch;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::memory::Memory;
use store::{Batch, Error, Operation, Reader, Result, Snapshot, Store};

/// When the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Before the commit became durable.
    Before,
    /// After it became durable, before the node heard of it.
    After,
}

/// Says which rows reach the disk; for rules broken on purpose.
pub type Keeps = fn(&[u8], &Operation) -> bool;

#[derive(Default)]
struct Plan {
    crash: Option<(u32, Crash)>,
    keeps: Option<Keeps>,
    commits: u64,
}

/// What a store and the world share.
#[derive(Clone)]
pub struct Disk {
    memory: Arc<Mutex<Memory>>,
    reader: Arc<dyn Reader>,
    plan: Arc<Mutex<Plan>>,
    watch: Arc<Mutex<Watch>>,
    site: usize,
}

/// Locks; one thread and no panic in between, so a poisoned lock cannot hold half a change.
pub(crate) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    /// An empty disk of this site, watched.
    #[must_use]
    pub fn new(site: usize, watch: Arc<Mutex<Watch>>) -> Self {
        let memory = Memory::new();
        let reader = memory.reader();
        let (memory, plan) = (Arc::new(Mutex::new(memory)), Arc::default());
        Self { memory, reader, plan, watch, site }
    }

    /// Plans a crash at a coming commit (0: the next).
    pub fn crash_at(&self, ahead: u32, crash: Crash) {
        lock(&self.plan).crash = Some((ahead, crash));
    }

    /// No crash is planned any more.
    pub fn steady(&self) {
        lock(&self.plan).crash = None;
    }

    /// From now on only these rows reach the disk.
    pub fn keep_only(&self, keeps: Keeps) {
        lock(&self.plan).keeps = Some(keeps);
    }

    /// Commits that became durable.
    #[must_use]
    pub fn commits(&self) -> u64 {
        lock(&self.plan).commits
    }

    /// What is durable now.
    ///
    /// # Errors
    /// Never for this engine; the trait allows for it.
    pub fn durable(&self) -> Result<Box<dyn Snapshot + '_>> {
        self.reader.snapshot()
    }

    /// Writes rows behind the node's back; for rules broken on purpose.
    ///
    /// # Errors
    /// A row breaks a limit.
    pub fn forge(&self, batch: Batch) -> Result<()> {
        lock(&self.memory).commit(batch)
    }

    fn power_cut(&self) -> Error {
        let source = std::io::Error::other("the power went");
        let place = PathBuf::from(format!("site {}", self.site));
        Error::Io { place, action: "write", source }
    }

    /// Whether this commit is the one at which the power goes.
    fn due(&self) -> Option<Crash> {
        let mut plan = lock(&self.plan);
        let (ahead, crash) = plan.crash?;
        plan.crash = ahead.checked_sub(1).map(|left| (left, crash));
        plan.crash.is_none().then_some(crash)
    }
}

impl Store for Disk {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        self.reader.snapshot()
    }

    fn commit(&mut self, batch: Batch) -> Result<()> {
        batch.check()?;
        let crash = self.due();
        if crash == Some(Crash::Before) {
            return Err(self.power_cut());
        }
        let keeps = lock(&self.plan).keeps;
        let batch = match keeps {
            Some(keeps) => kept(batch, keeps),
            None => batch,
        };
        {
            let before = self.reader.snapshot()?;
            lock(&self.watch).commit(self.site, &*before, &batch);
        }
        lock(&self.memory).commit(batch)?;
        {
            let mut plan = lock(&self.plan);
            plan.commits = plan.commits.saturating_add(1);
        }
        if crash == Some(Crash::After) { Err(self.power_cut()) } else { Ok(()) }
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::clone(&self.reader)
    }
}

fn kept(batch: Batch, keeps: Keeps) -> Batch {
    let mut out = Batch::new();
    for (key, operation) in batch.into_operations() {
        if !keeps(&key, &operation) {
            continue;
        }
        match operation {
            Operation::Put(value) => out.put(key, value),
            Operation::Delete => out.delete(key),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(disk: &mut Disk, key: &str) -> Result<()> {
        let mut batch = Batch::new();
        batch.put(key, "1");
        disk.commit(batch)
    }

    #[test]
    fn a_crash_before_loses_the_commit_and_a_crash_after_keeps_it() {
        let mut disk = Disk::new(0, Arc::default());
        disk.crash_at(1, Crash::Before);
        put(&mut disk, "~a").unwrap();
        assert!(put(&mut disk, "~b").is_err());
        disk.crash_at(0, Crash::After);
        assert!(put(&mut disk, "~c").is_err());
        put(&mut disk, "~d").unwrap();
        let durable = disk.durable().unwrap();
        let there = |key: &[u8]| durable.get(key).unwrap().is_some();
        assert!(there(b"~a") && !there(b"~b") && there(b"~c") && there(b"~d"));
        drop(durable);
        disk.keep_only(|key, _| key != b"~e");
        put(&mut disk, "~e").unwrap();
        assert!(disk.durable().unwrap().get(b"~e").unwrap().is_none());
    }
}
