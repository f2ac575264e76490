//! Tidy: the rules of the house that no compiler knows, checked over the source tree.
//!
//! Each rule is a pure function from a [`Tree`] (and what cargo says about it) to findings, with
//! tests that show it can fail. STYLE.md and ARCHITECTURE.md say why the rules are there.

pub mod code;
pub mod docs;
pub mod gates;
pub mod glossary;
pub mod graph;
pub mod names;
pub mod sizes;
pub mod text;
pub mod tree;
pub mod words;

use crate::{Failure, stage};
use std::fmt;
use std::path::Path;
use std::process::Command;
use tree::Tree;

/// Whether a finding stops a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Worth a look.
    Warning,
    /// Stops.
    Failure,
}

/// One place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Whether it stops a commit.
    pub weight: Weight,
    /// The file, relative to the top of the tree.
    pub path: String,
    /// The line, from 1; 0 for the whole file.
    pub line: usize,
    /// The rule's name.
    pub rule: &'static str,
    /// What is wrong, and the cure where it is not plain.
    pub says: String,
}

impl Finding {
    /// A finding that stops.
    #[must_use]
    pub fn new(rule: &'static str, path: &str, line: usize, says: String) -> Self {
        Self { weight: Weight::Failure, path: path.to_owned(), line, rule, says }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = if self.weight == Weight::Failure { "" } else { " (warning)" };
        write!(f, "{}:{}: {}{weight}: {}", self.path, self.line, self.rule, self.says)
    }
}

/// The rules that need nothing but the files.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    let rules: [fn(&Tree) -> Vec<Finding>; 10] = [
        sizes::lines,
        sizes::columns,
        sizes::packages,
        names::banned,
        gates::vouching,
        gates::releasing,
        text::form,
        text::words,
        glossary::nouns,
        docs::references,
    ];
    rules.iter().flat_map(|rule| rule(tree)).collect()
}

/// All rules over the tree at `root`, sorted; the program is asked for its commands once its
/// command line is there.
///
/// # Errors
/// When the tree cannot be read or cargo does not answer.
pub fn run(root: &Path) -> Result<Vec<Finding>, Failure> {
    let tree = Tree::read(root)?;
    let mut findings = check(&tree);
    findings.extend(graph::check(&tree, &graph::packages(root)?));
    findings.extend(program(root, &tree));
    let tasks: Vec<String> = crate::order::TASKS.iter().map(|t| t.name.to_owned()).collect();
    findings.extend(docs::commands(&tree, "cargo xtask", &tasks));
    findings.sort();
    Ok(findings)
}

/// Commands of the program named in documents, as the program itself lists them.
fn program(root: &Path, tree: &Tree) -> Vec<Finding> {
    let cli = ["crates/entente/src/cli/mod.rs", "crates/entente/src/cli.rs"];
    let Some(path) = cli.iter().find(|path| tree.paths.contains(**path)) else {
        return Vec::new();
    };
    let mut ask = Command::new("cargo");
    ask.args(["run", "--quiet", "-p", "entente", "--", "verbs"]);
    match stage::answer(root, &mut ask) {
        Ok(names) => {
            let mut names = docs::names(&names);
            names.push("help".to_owned());
            docs::commands(tree, "entente", &names)
        }
        Err(failure) => vec![Finding::new("commands", path, 0, failure.to_string())],
    }
}
