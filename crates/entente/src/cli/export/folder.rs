//! A feed's folder as it is written: events first, the manifest last, then what left the feed goes.
//!
//! Whoever reads the folder meanwhile finds the events its manifest names, in the old form or the
//! new one. INVARIANT: once a run has ended, no event stands here that it did not write.

use super::sheet::Output;
use crate::cli::import::folder::{MANIFEST, event_name};
use crate::failure::Failure;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use wire::misp::Feed;

/// A folder that is a feed's, or becomes one.
pub struct Folder {
    path: PathBuf,
    /// UUIDs of the events that stand here.
    before: BTreeSet<String>,
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::input(
        "folder_unwritable",
        format!("`{}` cannot be written: {error}", path.display()),
        "choose a folder you may write to, with room for the events",
    )
}

impl Folder {
    /// Makes the folder, or takes one that holds nothing or a feed.
    ///
    /// # Errors
    /// It cannot be made or read, or holds other files and no manifest.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let wrong = |error: std::io::Error| unwritable(path, &error);
        std::fs::create_dir_all(path).map_err(wrong)?;
        let (mut before, mut any, mut feed) = (BTreeSet::new(), false, false);
        for entry in std::fs::read_dir(path).map_err(wrong)? {
            let name = entry.map_err(wrong)?.file_name();
            any = true;
            feed |= name == MANIFEST;
            before.extend(name.to_str().and_then(event_name).map(str::to_owned));
        }
        if any && !feed {
            return Err(Failure::input(
                "folder_foreign",
                format!("`{}` holds other files and no {MANIFEST}", path.display()),
                "name an empty folder, a new one, or one that an earlier export wrote",
            ));
        }
        let folder = Self { path: path.to_owned(), before };
        if !feed {
            // WHY: a run that is broken off leaves a feed without events, not a foreign folder.
            folder.file(MANIFEST, "{}\n")?;
        }
        Ok(folder)
    }

    /// Writes a feed in place of the one that stands here.
    ///
    /// # Errors
    /// A file cannot be written or deleted.
    pub fn write(self, feed: Feed) -> Result<(), Failure> {
        let mut gone = self.before.clone();
        for (uuid, event) in &feed.events {
            gone.remove(uuid);
            self.file(&format!("{uuid}.json"), &format!("{event}\n"))?;
        }
        self.file("hashes.csv", &feed.hashes)?;
        self.file(MANIFEST, &format!("{}\n", feed.manifest))?;
        for uuid in gone {
            let path = self.path.join(format!("{uuid}.json"));
            std::fs::remove_file(&path).map_err(|e| unwritable(&path, &e))?;
        }
        Ok(())
    }

    fn file(&self, name: &str, text: &str) -> Result<(), Failure> {
        let mut out = Output::open(Some(&self.path.join(name)))?;
        out.write(text.as_bytes())?;
        out.end()
    }
}
