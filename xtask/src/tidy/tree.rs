//! The files the rules look at: everything in the source tree that is not ignored.

use super::code::Code;
use crate::Failure;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// LIMIT: bytes of a text file; larger ones are looked at by name only.
const TEXT_BYTES_MAX: u64 = 4_194_304;

/// Cases taken over from elsewhere stay byte for byte as they came.
#[must_use]
pub fn is_taken_over(path: &str) -> bool {
    path.contains("/tests/data/")
}

/// One text file.
pub struct Page {
    /// Its text.
    pub text: String,
    /// Its Rust code with comments and literals blanked out, for `.rs` files.
    pub code: Option<Code>,
}

impl Page {
    fn new(path: &str, text: String) -> Self {
        let code = path.ends_with(".rs").then(|| Code::of(&text));
        Self { text, code }
    }

    /// Written by a program, which says so in the first five lines.
    #[must_use]
    pub fn is_generated(&self) -> bool {
        self.text.lines().take(5).any(|line| line.contains("@generated"))
    }
}

/// The tree: paths relative to its top, with `/`.
pub struct Tree {
    /// Every file, text or not.
    pub paths: BTreeSet<String>,
    /// Every folder, without a closing `/`.
    pub folders: BTreeSet<String>,
    /// The text files.
    pub pages: BTreeMap<String, Page>,
}

impl Tree {
    /// Reads the tree below `root`, leaving out what `.gitignore` names.
    ///
    /// # Errors
    /// [`Failure::Io`] when a folder or file cannot be read.
    pub fn read(root: &Path) -> Result<Self, Failure> {
        let ignore = std::fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
        let ignored = Ignored::of(&ignore);
        let mut tree =
            Self { paths: BTreeSet::new(), folders: BTreeSet::new(), pages: BTreeMap::new() };
        let mut open = vec![String::new()];
        while let Some(folder) = open.pop() {
            let here = root.join(&folder);
            for entry in std::fs::read_dir(&here).map_err(Failure::io(here.display()))? {
                let entry = entry.map_err(Failure::io(here.display()))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path =
                    if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                let kind = entry.file_type().map_err(Failure::io(entry.path().display()))?;
                if kind.is_dir() {
                    if name != ".git" && !ignored.folder(&path, &name) {
                        tree.folders.insert(path.clone());
                        open.push(path);
                    }
                } else if kind.is_file() {
                    tree.keep(root, path)?;
                }
            }
        }
        Ok(tree)
    }

    fn keep(&mut self, root: &Path, path: String) -> Result<(), Failure> {
        let place = root.join(&path);
        let bytes = std::fs::metadata(&place).map_err(Failure::io(place.display()))?.len();
        if bytes <= TEXT_BYTES_MAX {
            let bytes = std::fs::read(&place).map_err(Failure::io(place.display()))?;
            if let Ok(text) = String::from_utf8(bytes)
                && !text.contains('\0')
            {
                self.pages.insert(path.clone(), Page::new(&path, text));
            }
        }
        self.paths.insert(path);
        Ok(())
    }

    /// A tree written down in a test.
    #[must_use]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let mut tree =
            Self { paths: BTreeSet::new(), folders: BTreeSet::new(), pages: BTreeMap::new() };
        for (path, text) in files {
            tree.paths.insert((*path).to_owned());
            tree.pages.insert((*path).to_owned(), Page::new(path, (*text).to_owned()));
            let mut folder = *path;
            while let Some((parent, _)) = folder.rsplit_once('/') {
                tree.folders.insert(parent.to_owned());
                folder = parent;
            }
        }
        tree
    }

    /// The text of one file; empty when it is not there.
    #[must_use]
    pub fn text(&self, path: &str) -> &str {
        self.pages.get(path).map_or("", |page| page.text.as_str())
    }

    /// The Rust files with their code.
    pub fn code(&self) -> impl Iterator<Item = (&str, &Code)> {
        self.pages.iter().filter_map(|(path, page)| Some((path.as_str(), page.code.as_ref()?)))
    }
}

/// The folders a `.gitignore` names (lines that end with `/`), anchored or anywhere.
struct Ignored {
    anchored: Vec<String>,
    anywhere: Vec<String>,
}

impl Ignored {
    fn of(text: &str) -> Self {
        let mut ignored = Self { anchored: Vec::new(), anywhere: Vec::new() };
        for line in text.lines() {
            let Some(folder) = line.trim().strip_suffix('/') else { continue };
            match folder.strip_prefix('/') {
                Some(path) => ignored.anchored.push(path.to_owned()),
                None if folder.contains('/') => ignored.anchored.push(folder.to_owned()),
                None => ignored.anywhere.push(folder.to_owned()),
            }
        }
        ignored
    }

    fn folder(&self, path: &str, name: &str) -> bool {
        self.anchored.iter().any(|ignored| ignored == path)
            || self.anywhere.iter().any(|ignored| ignored == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_folders_are_anchored_or_anywhere() {
        let ignored = Ignored::of("target/\n/fuzz/corpus/\n*.log\n");
        assert!(ignored.folder("crates/a/target", "target"));
        assert!(ignored.folder("fuzz/corpus", "corpus"));
        assert!(!ignored.folder("docs/corpus", "corpus"));
    }

    #[test]
    fn the_real_tree_has_no_build_output() {
        let tree = Tree::read(&crate::tasks::root()).unwrap();
        assert!(tree.paths.contains("Cargo.toml"));
        assert!(tree.folders.contains("crates/model/src"));
        assert!(!tree.paths.iter().any(|path| path.starts_with("target/")));
    }
}
