//! Damaged files: the store opens at the state after some batch, or says that it is damaged; it
//! never hands out bytes that nobody wrote.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::print_stderr,
    missing_docs,
    reason = "tests may stop at the first surprise; this one damages files"
)]

mod life;

use std::fs;
use std::path::{Path, PathBuf};

use store::{Error, Kind, Store, embedded::Embedded};

const BATCHES: u64 = 30;

/// The files of a store as they were at one moment, without the empty ends of its journals.
struct Picture {
    files: Vec<(PathBuf, Vec<u8>, u64)>,
}

impl Picture {
    /// As after a kill: taken while the store is open and the journal not yet turned into tables.
    fn take(place: &Path) -> Self {
        let mut files = Vec::new();
        for path in life::files(place) {
            let mut bytes = fs::read(&path).unwrap();
            let size = bytes.len() as u64;
            let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            bytes.truncate(used);
            files.push((path.strip_prefix(place).unwrap().to_path_buf(), bytes, size));
        }
        Self { files }
    }

    fn lay_out(&self, place: &Path) {
        for (path, bytes, size) in &self.files {
            let path = place.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, bytes).unwrap();
            fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(*size).unwrap();
        }
    }

    fn ending(&self, ending: &str) -> Vec<usize> {
        let named = |at: &usize| self.files[*at].0.to_string_lossy().ends_with(ending);
        (0..self.files.len()).filter(named).collect()
    }
}

fn picture(batches: u64) -> Picture {
    let place = tempfile::tempdir().unwrap();
    let mut store = Embedded::open(place.path()).unwrap();
    life::commit(&mut store, 1, batches).unwrap();
    Picture::take(place.path())
}

/// What became of a damaged store.
fn look(place: &Path) -> Result<u64, Error> {
    let store = Embedded::open(place)?;
    life::standing(&*store.reader())
}

#[derive(Default, Debug)]
struct Tally {
    whole: u64,
    shorter: u64,
    corrupt: u64,
}

impl Tally {
    fn note(&mut self, about: &str, became: Result<u64, Error>) {
        match became {
            Ok(BATCHES) => self.whole += 1,
            Ok(standing) if standing < BATCHES => self.shorter += 1,
            Err(error) if error.kind() == Kind::Corrupt => self.corrupt += 1,
            other => panic!("{about}: {other:?}"),
        }
    }
}

#[test]
fn a_journal_cut_short_opens_at_some_batch() {
    let whole = picture(BATCHES);
    let journal = *whole.ending(".jnl").last().unwrap();
    let used = whole.files[journal].1.len() as u64;
    let mut tally = Tally::default();
    for turn in 0..60 {
        let place = tempfile::tempdir().unwrap();
        whole.lay_out(place.path());
        // Half of the cuts in the last fifth, the others anywhere.
        let chance = life::mix(turn);
        let cut = if turn % 2 == 0 { used - chance % (used / 5) } else { chance % used };
        let path = place.path().join(&whole.files[journal].0);
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(cut).unwrap();
        tally.note(&format!("cut at {cut} of {used}"), look(place.path()));
    }
    eprintln!("cut journals: {tally:?}");
    assert!(tally.shorter >= 50);
}

#[test]
fn a_garbled_journal_opens_at_some_batch_or_says_so() {
    let whole = picture(BATCHES);
    let journal = *whole.ending(".jnl").last().unwrap();
    let used = whole.files[journal].1.len() as u64;
    let mut tally = Tally::default();
    for turn in 0..150 {
        let place = tempfile::tempdir().unwrap();
        whole.lay_out(place.path());
        let chance = life::mix(turn);
        let at = if turn % 2 == 0 { used - 1 - chance % (used / 5) } else { chance % used };
        let span = [1, 8, 512, 4096][(chance >> 40) as usize % 4].min(used - at) as usize;
        let path = place.path().join(&whole.files[journal].0);
        garble(&path, at as usize, span, chance);
        tally.note(&format!("garbled {span} at {at} of {used}"), look(place.path()));
    }
    eprintln!("garbled journals: {tally:?}");
    assert!(tally.corrupt > 0 && tally.shorter > 0);
}

/// The number that orders a batch lies outside the engine's own checksum: each of its bytes,
/// changed in each batch, must still be noticed or do no harm.
#[test]
fn a_displaced_batch_is_noticed() {
    let whole = picture(BATCHES);
    let journal = *whole.ending(".jnl").last().unwrap();
    let bytes = &whole.files[journal].1;
    // SOURCE: fjall 3.1 journal: tag 1, how many items (u32), the number (u64), each little-endian.
    let start = |at: &usize| {
        let items =
            bytes.get(at + 1..at + 5).map(|four| u32::from_le_bytes(four.try_into().unwrap()));
        let number = bytes.get(at + 9..at + 13);
        bytes[*at] == 1 && matches!(items, Some(1..=60)) && number == Some(&[0; 4])
    };
    let starts: Vec<usize> = (0..bytes.len()).filter(start).collect();
    assert!(starts.len() as u64 >= BATCHES, "{} batches found", starts.len());
    let mut tally = Tally::default();
    for (turn, start) in starts.iter().enumerate() {
        for (byte, flip) in [(5, 1), (5, 4), (5, 32), (6, 1), (8, 0x40), (12, 0xff)] {
            let place = tempfile::tempdir().unwrap();
            whole.lay_out(place.path());
            let path = place.path().join(&whole.files[journal].0);
            let mut garbled = bytes.clone();
            garbled[start + byte] ^= flip;
            fs::write(&path, garbled).unwrap();
            tally.note(&format!("batch {turn}, byte {byte} ^ {flip}"), look(place.path()));
        }
    }
    eprintln!("displaced batches: {tally:?}");
    assert!(tally.corrupt > 0);
}

/// Any byte of any file, of a store large enough to have tables.
#[test]
fn a_garbled_file_never_yields_wrong_bytes() {
    let batches = 400;
    let whole = picture(batches);
    let (mut sound, mut refused) = (0, 0);
    for turn in 0..200 {
        let chance = life::mix(turn);
        let (path, bytes, _) = &whole.files[chance as usize % whole.files.len()];
        if bytes.is_empty() {
            continue;
        }
        let place = tempfile::tempdir().unwrap();
        whole.lay_out(place.path());
        let at = (chance >> 20) as usize % bytes.len();
        garble(&place.path().join(path), at, 8.min(bytes.len() - at), chance);
        match look(place.path()) {
            Ok(standing) => {
                assert!(standing <= batches);
                sound += 1;
            }
            Err(error) => {
                assert!(matches!(error.kind(), Kind::Corrupt | Kind::Io), "{path:?}: {error:?}");
                refused += 1;
            }
        }
    }
    eprintln!("garbled files: {sound} harmless or shorter, {refused} refused");
    assert!(whole.ending(".jnl").len() < whole.files.len() && refused > 0);
}

fn garble(path: &Path, at: usize, span: usize, chance: u64) {
    use std::os::unix::fs::FileExt;
    let file = fs::OpenOptions::new().write(true).read(true).open(path).unwrap();
    let mut bytes = vec![0; span];
    file.read_exact_at(&mut bytes, at as u64).unwrap();
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte ^= (life::mix(chance ^ place as u64) as u8).max(1);
    }
    file.write_all_at(&bytes, at as u64).unwrap();
}
