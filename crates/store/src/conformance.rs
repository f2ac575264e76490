//! What every engine must do, as cases any engine can be put through. Not pure: starts threads.
//!
//! [`CASES`] want a fresh, empty store each; [`REOPEN_CASES`] are for engines that keep what they
//! hold. A case returns the store's own error or stops at the first assertion that does not hold.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::{Batch, Error, Kind, Limit, Result, Snapshot, Store, limits};

/// A case for a fresh, empty store.
pub type Case = fn(&mut dyn Store) -> Result<()>;

/// A case for an engine that keeps what it holds: each call of the argument opens the same place.
pub type ReopenCase = fn(&dyn Fn() -> Result<Box<dyn Store>>) -> Result<()>;

/// The cases every engine must pass, by name.
pub const CASES: &[(&str, Case)] = &[
    ("an empty store finds nothing", an_empty_store_finds_nothing),
    ("an empty batch changes nothing", an_empty_batch_changes_nothing),
    ("a put is read and overwritten", a_put_is_read_and_overwritten),
    ("a delete removes and may miss", a_delete_removes_and_may_miss),
    ("the last operation on a key wins", the_last_operation_on_a_key_wins),
    ("an empty value is not an absent one", an_empty_value_is_not_an_absent_one),
    ("a scan ascends and stops", a_scan_ascends_and_stops),
    ("a scan starts in the middle", a_scan_starts_in_the_middle),
    ("a scan goes backwards", a_scan_goes_backwards),
    ("prefixes end where they should", prefixes_end_where_they_should),
    ("a snapshot never changes", a_snapshot_never_changes),
    ("readers on threads see whole batches", readers_on_threads_see_whole_batches),
    ("a reader sees later commits", a_reader_sees_later_commits),
    ("a big value comes back", a_big_value_comes_back),
    ("limits are refused whole", limits_are_refused_whole),
];

/// The cases every engine that keeps what it holds must pass as well, by name.
pub const REOPEN_CASES: &[(&str, ReopenCase)] = &[
    ("reopening keeps everything", reopening_keeps_everything),
    ("a second opener is told it is busy", a_second_opener_is_told_it_is_busy),
    ("a reader holds the store open", a_reader_holds_the_store_open),
];

type Pair = (Vec<u8>, Vec<u8>);

fn pair(key: &[u8], value: &[u8]) -> Pair {
    (key.to_vec(), value.to_vec())
}

fn put_all(store: &mut dyn Store, keys: &[&[u8]]) -> Result<()> {
    let mut batch = Batch::new();
    for key in keys {
        batch.put(*key, *key);
    }
    store.commit(batch)
}

fn put(store: &mut dyn Store, key: &[u8], value: &[u8]) -> Result<()> {
    let mut batch = Batch::new();
    batch.put(key, value);
    store.commit(batch)
}

fn keys(snapshot: &dyn Snapshot, prefix: &[u8]) -> Result<Vec<Vec<u8>>> {
    keys_from(snapshot, prefix, prefix)
}

fn keys_from(snapshot: &dyn Snapshot, prefix: &[u8], start: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    snapshot.scan_from(prefix, start, &mut |key, _| {
        found.push(key.to_vec());
        true
    })?;
    Ok(found)
}

fn keys_back(snapshot: &dyn Snapshot, prefix: &[u8], end: Option<&[u8]>) -> Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    snapshot.scan_back(prefix, end, &mut |key, _| {
        found.push(key.to_vec());
        true
    })?;
    Ok(found)
}

fn an_empty_store_finds_nothing(store: &mut dyn Store) -> Result<()> {
    let snapshot = store.snapshot()?;
    assert_eq!(snapshot.get(b"a")?, None);
    assert!(keys(&*snapshot, b"")?.is_empty());
    assert!(keys_back(&*snapshot, b"", None)?.is_empty());
    assert_eq!(snapshot.last(b"")?, None);
    Ok(())
}

fn an_empty_batch_changes_nothing(store: &mut dyn Store) -> Result<()> {
    store.commit(Batch::new())?;
    assert!(keys(&*store.snapshot()?, b"")?.is_empty());
    put(store, b"a", b"1")?;
    store.commit(Batch::new())?;
    assert_eq!(keys(&*store.snapshot()?, b"")?, [b"a"]);
    Ok(())
}

fn a_put_is_read_and_overwritten(store: &mut dyn Store) -> Result<()> {
    put(store, b"a", b"1")?;
    assert_eq!(store.snapshot()?.get(b"a")?, Some(b"1".to_vec()));
    put(store, b"a", b"second")?;
    assert_eq!(store.snapshot()?.get(b"a")?, Some(b"second".to_vec()));
    assert_eq!(keys(&*store.snapshot()?, b"")?, [b"a"]);
    Ok(())
}

fn a_delete_removes_and_may_miss(store: &mut dyn Store) -> Result<()> {
    put_all(store, &[b"a", b"b"])?;
    let mut batch = Batch::new();
    batch.delete("a");
    batch.delete("never there");
    store.commit(batch)?;
    let snapshot = store.snapshot()?;
    assert_eq!(snapshot.get(b"a")?, None);
    assert_eq!(keys(&*snapshot, b"")?, [b"b"]);
    Ok(())
}

fn the_last_operation_on_a_key_wins(store: &mut dyn Store) -> Result<()> {
    put(store, b"gone", b"old")?;
    let mut batch = Batch::new();
    batch.put("twice", "first");
    batch.put("twice", "last");
    batch.delete("back");
    batch.put("back", "here");
    batch.put("gone", "new");
    batch.delete("gone");
    store.commit(batch)?;
    let snapshot = store.snapshot()?;
    assert_eq!(snapshot.get(b"twice")?, Some(b"last".to_vec()));
    assert_eq!(snapshot.get(b"back")?, Some(b"here".to_vec()));
    assert_eq!(snapshot.get(b"gone")?, None);
    Ok(())
}

fn an_empty_value_is_not_an_absent_one(store: &mut dyn Store) -> Result<()> {
    put(store, b"a", b"")?;
    let snapshot = store.snapshot()?;
    assert_eq!(snapshot.get(b"a")?, Some(Vec::new()));
    assert_eq!(snapshot.last(b"")?, Some(pair(b"a", b"")));
    Ok(())
}

fn a_scan_ascends_and_stops(store: &mut dyn Store) -> Result<()> {
    put_all(store, &[b"b/2", b"b/10", b"a", b"b/", b"c", b"b/1"])?;
    let snapshot = store.snapshot()?;
    assert_eq!(keys(&*snapshot, b"b/")?, [&b"b/"[..], b"b/1", b"b/10", b"b/2"]);
    let mut seen = Vec::new();
    snapshot.scan(b"b/", &mut |key, value| {
        seen.push(pair(key, value));
        seen.len() < 2
    })?;
    assert_eq!(seen, [pair(b"b/", b"b/"), pair(b"b/1", b"b/1")]);
    Ok(())
}

fn a_scan_starts_in_the_middle(store: &mut dyn Store) -> Result<()> {
    put_all(store, &[b"a", b"b1", b"b2", b"b3", b"c"])?;
    let snapshot = store.snapshot()?;
    assert_eq!(keys_from(&*snapshot, b"b", b"b2")?, [b"b2", b"b3"]);
    assert_eq!(keys_from(&*snapshot, b"b", b"b1\0")?, [b"b2", b"b3"]);
    assert_eq!(keys_from(&*snapshot, b"b", b"a")?.len(), 3);
    assert_eq!(keys_from(&*snapshot, b"", b"b3")?, [&b"b3"[..], b"c"]);
    assert!(keys_from(&*snapshot, b"b", b"c")?.is_empty());
    assert!(keys_from(&*snapshot, b"b", b"b4")?.is_empty());
    Ok(())
}

fn a_scan_goes_backwards(store: &mut dyn Store) -> Result<()> {
    put_all(store, &[b"a", b"b1", b"b2", b"b3", b"c"])?;
    let snapshot = store.snapshot()?;
    assert_eq!(keys_back(&*snapshot, b"b", None)?, [b"b3", b"b2", b"b1"]);
    assert_eq!(keys_back(&*snapshot, b"b", Some(b"b3"))?, [b"b2", b"b1"]);
    assert_eq!(keys_back(&*snapshot, b"b", Some(b"z"))?.len(), 3);
    assert!(keys_back(&*snapshot, b"b", Some(b"b1"))?.is_empty());
    assert!(keys_back(&*snapshot, b"b", Some(b"a"))?.is_empty());
    assert_eq!(keys_back(&*snapshot, b"", None)?.len(), 5);
    assert_eq!(snapshot.last(b"b")?, Some(pair(b"b3", b"b3")));
    assert_eq!(snapshot.last(b"")?, Some(pair(b"c", b"c")));
    assert_eq!(snapshot.last(b"d")?, None);
    Ok(())
}

fn prefixes_end_where_they_should(store: &mut dyn Store) -> Result<()> {
    let all: [&[u8]; 8] = [
        &[0],
        &[0, 0],
        &[1],
        &[1, 0xfe],
        &[1, 0xff],
        &[1, 0xff, 0xff, 7],
        &[0xff],
        &[0xff, 0xff, 0xff],
    ];
    put_all(store, &all)?;
    let snapshot = store.snapshot()?;
    assert_eq!(keys(&*snapshot, &[])?, all);
    for prefix in [&[][..], &[0], &[0, 0], &[1], &[1, 0xff], &[2], &[0xff], &[0xff, 0xff]] {
        let wanted: Vec<_> = all.iter().filter(|key| key.starts_with(prefix)).copied().collect();
        assert_eq!(keys(&*snapshot, prefix)?, wanted, "prefix {prefix:?}");
        let mut back = keys_back(&*snapshot, prefix, None)?;
        back.reverse();
        assert_eq!(back, wanted, "prefix {prefix:?} backwards");
    }
    Ok(())
}

fn a_snapshot_never_changes(store: &mut dyn Store) -> Result<()> {
    put_all(store, &[b"a", b"b"])?;
    let reader = store.reader();
    let before = reader.snapshot()?;
    for turn in 0..50_u8 {
        let mut batch = Batch::new();
        batch.put("a", [turn]);
        batch.delete("b");
        batch.put([b'n', turn], "new");
        store.commit(batch)?;
    }
    assert_eq!(before.get(b"a")?, Some(b"a".to_vec()));
    assert_eq!(keys(&*before, b"")?, [b"a", b"b"]);
    assert_eq!(keys_back(&*before, b"", None)?, [b"b", b"a"]);
    let after = reader.snapshot()?;
    assert_eq!(after.get(b"a")?, Some(vec![49]));
    assert_eq!(keys(&*after, b"")?.len(), 51);
    Ok(())
}

/// Readers on other threads look while the writer commits: each snapshot holds one number in all
/// places, and the numbers a thread sees never go back.
fn readers_on_threads_see_whole_batches(store: &mut dyn Store) -> Result<()> {
    const PLACES: u64 = 20;
    let done = AtomicBool::new(false);
    let reader = store.reader();
    let look = || -> Result<u64> {
        let (mut newest, mut looks) = (0, 0);
        while !done.load(Ordering::Acquire) || looks == 0 {
            let mut seen = Vec::new();
            reader.snapshot()?.scan(b"k", &mut |_, value| {
                seen.push(value.to_vec());
                true
            })?;
            let first = seen.first().and_then(|value| value.as_slice().try_into().ok());
            let number = first.map_or(0, u64::from_be_bytes);
            assert!(seen.iter().all(|value| *value == number.to_be_bytes()), "half a batch");
            assert!(seen.is_empty() || seen.len() as u64 == PLACES, "half a batch");
            assert!(number >= newest, "a snapshot went back in time");
            (newest, looks) = (number, 1);
        }
        Ok(newest)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(look)).collect();
        let written = (1..=200_u64).try_for_each(|number| {
            let mut batch = Batch::new();
            for place in 0..PLACES {
                batch.put(format!("k{place:02}"), number.to_be_bytes());
            }
            store.commit(batch)
        });
        done.store(true, Ordering::Release);
        for thread in threads {
            assert!(matches!(thread.join(), Ok(Ok(_))), "a reader failed");
        }
        written
    })
}

fn a_reader_sees_later_commits(store: &mut dyn Store) -> Result<()> {
    let reader = store.reader();
    let also = std::sync::Arc::clone(&reader);
    put(store, b"a", b"1")?;
    assert_eq!(reader.snapshot()?.get(b"a")?, Some(b"1".to_vec()));
    put(store, b"a", b"2")?;
    assert_eq!(also.snapshot()?.get(b"a")?, Some(b"2".to_vec()));
    Ok(())
}

fn a_big_value_comes_back(store: &mut dyn Store) -> Result<()> {
    let big: Vec<u8> = (0..8 * 1024 * 1024_u32).map(|at| at.to_le_bytes()[1]).collect();
    put(store, b"big", &big)?;
    put(store, b"small", b"beside it")?;
    assert_eq!(store.snapshot()?.get(b"big")?.as_deref(), Some(big.as_slice()));
    put(store, b"longest value", &vec![7; limits::VALUE_BYTES_MAX])?;
    let found = store.snapshot()?.get(b"longest value")?;
    assert_eq!(found.map(|value| value.len()), Some(limits::VALUE_BYTES_MAX));
    let longest = vec![0xff; limits::KEY_BYTES_MAX];
    put(store, &longest, b"longest key")?;
    assert_eq!(store.snapshot()?.last(b"")?, Some(pair(&longest, b"longest key")));
    Ok(())
}

fn limits_are_refused_whole(store: &mut dyn Store) -> Result<()> {
    let mut many = Batch::new();
    for number in 0..=limits::BATCH_OPERATIONS_MAX {
        many.put(number.to_be_bytes(), "");
    }
    let mut large = Batch::new();
    for number in 0..5_u8 {
        large.put([number], vec![0; limits::VALUE_BYTES_MAX]);
    }
    let one = |key: &[u8], value: Vec<u8>| {
        let mut batch = Batch::new();
        batch.put("beside", "this is not written either");
        batch.put(key, value);
        batch
    };
    let cases = [
        (one(b"", Vec::new()), Limit::KeyEmpty),
        (one(&vec![1; limits::KEY_BYTES_MAX + 1], Vec::new()), Limit::KeyBytes),
        (one(b"a", vec![0; limits::VALUE_BYTES_MAX + 1]), Limit::ValueBytes),
        (many, Limit::BatchOperations),
        (large, Limit::BatchBytes),
    ];
    for (batch, wanted) in cases {
        match store.commit(batch) {
            Err(Error::Limit { limit, .. }) => assert_eq!(limit, wanted),
            other => assert!(other.is_err_and(|_| false), "{wanted} was not refused"),
        }
        assert!(keys(&*store.snapshot()?, b"")?.is_empty(), "a refused batch left something");
    }
    put(store, b"a", b"still takes batches")
}

fn reopening_keeps_everything(open: &dyn Fn() -> Result<Box<dyn Store>>) -> Result<()> {
    for round in 0..5_u8 {
        let mut store = open()?;
        let snapshot = store.snapshot()?;
        assert_eq!(keys(&*snapshot, b"round")?.len(), usize::from(round));
        assert_eq!(snapshot.get(b"overwritten")?, round.checked_sub(1).map(|last| vec![last]));
        assert_eq!(snapshot.get(b"gone")?, None);
        drop(snapshot);
        let mut batch = Batch::new();
        batch.put(format!("round{round}"), vec![round; 2_000]);
        batch.put("overwritten", [round]);
        batch.put("gone", "soon");
        store.commit(batch)?;
        let mut batch = Batch::new();
        batch.delete("gone");
        store.commit(batch)?;
    }
    let store = open()?;
    for round in 0..5_u8 {
        let found = store.snapshot()?.get(format!("round{round}").as_bytes())?;
        assert_eq!(found, Some(vec![round; 2_000]));
    }
    Ok(())
}

fn a_second_opener_is_told_it_is_busy(open: &dyn Fn() -> Result<Box<dyn Store>>) -> Result<()> {
    let mut first = open()?;
    match open() {
        Err(refused) => {
            assert_eq!(refused.kind(), Kind::Busy);
            assert!(refused.help().contains("stop the other program"));
        }
        Ok(_) => assert!(std::hint::black_box(false), "two hold one store"),
    }
    put(&mut *first, b"a", b"the first goes on")?;
    drop(first);
    assert_eq!(open()?.snapshot()?.get(b"a")?, Some(b"the first goes on".to_vec()));
    Ok(())
}

fn a_reader_holds_the_store_open(open: &dyn Fn() -> Result<Box<dyn Store>>) -> Result<()> {
    let mut store = open()?;
    put(&mut *store, b"a", b"1")?;
    let reader = store.reader();
    drop(store);
    assert!(open().is_err_and(|refused| refused.kind() == Kind::Busy));
    assert_eq!(reader.snapshot()?.get(b"a")?, Some(b"1".to_vec()));
    drop(reader);
    assert_eq!(open()?.snapshot()?.get(b"a")?, Some(b"1".to_vec()));
    Ok(())
}
