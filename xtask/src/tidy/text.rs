//! Text: how files end, what lines hold, which words do not belong here. Pure.

use super::Finding;
use super::tree::{Page, Tree, is_taken_over};
use super::words::{FOREIGN, MACHINE_PATHS, UNFINISHED};

/// The file that lists the words, and texts that are not ours.
const EXEMPT: [&str; 3] = ["xtask/src/tidy/words.rs", "LICENSE", "Cargo.lock"];

/// Files end with a newline, lines with a letter; tabs only in make files; modules have a head.
#[must_use]
pub fn form(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, page) in &tree.pages {
        if path == "LICENSE" || is_taken_over(path) || page.is_generated() {
            continue;
        }
        if !page.text.is_empty() && !page.text.ends_with('\n') {
            found.push(Finding::new("form", path, 0, "ends without a newline".to_owned()));
        }
        let tabs = path.ends_with("Makefile") || path.ends_with(".tsv");
        for (at, line) in page.text.split('\n').enumerate() {
            let mut say = |text: &str| {
                found.push(Finding::new("form", path, at.saturating_add(1), text.to_owned()));
            };
            if line.ends_with([' ', '\t', '\r']) {
                say("white space at the end of the line");
            }
            if line.contains('\t') && !tabs {
                say("a tab");
            }
        }
        if path.ends_with(".rs") && !has_head(page) {
            let says = "no `//!` head: say what it decides, whether it is pure, its sources";
            found.push(Finding::new("form", path, 1, says.to_owned()));
        }
    }
    found
}

fn has_head(page: &Page) -> bool {
    page.text.lines().find(|line| !line.trim().is_empty()).is_some_and(|l| l.starts_with("//!"))
}

/// No foreign words, marks of unfinished work or paths of somebody's machine.
#[must_use]
pub fn words(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, page) in &tree.pages {
        if EXEMPT.contains(&path.as_str()) || is_taken_over(path) || page.is_generated() {
            continue;
        }
        for (at, line) in page.text.lines().enumerate() {
            let lower = line.to_lowercase();
            let foreign = FOREIGN.iter().find(|word| has_word(&lower, word));
            let unfinished = UNFINISHED.iter().find(|word| has_word(line, word));
            let machine = MACHINE_PATHS.iter().find(|start| has_path(line, start));
            for word in [foreign, unfinished, machine].into_iter().flatten() {
                let says = format!("`{word}` does not belong in the tree");
                found.push(Finding::new("words", path, at.saturating_add(1), says));
            }
        }
    }
    found
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at..).and_then(|text| text.chars().nth(word.chars().count()));
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !letter(before) && !letter(after)
    })
}

/// The path begins here: nothing that could belong to it stands before.
fn has_path(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "._-}*".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(rule: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> usize {
        rule(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn the_form_of_files_is_checked() {
        assert_eq!(says(form, "a.md", "text"), 1);
        assert_eq!(says(form, "crates/a/tests/data/a.md", "text"), 0);
        assert_eq!(says(form, "a.md", "text \n"), 1);
        assert_eq!(says(form, "a.md", "a\tb\n"), 1);
        assert_eq!(says(form, "Makefile", "a:\n\tb\n"), 0);
        assert_eq!(says(form, "a.rs", "fn a() {}\n"), 1);
        assert_eq!(says(form, "a.rs", "//! A.\nfn a() {}\n"), 0);
    }

    #[test]
    fn foreign_words_are_found_as_whole_words() {
        for word in FOREIGN.iter().chain(&UNFINISHED) {
            assert_eq!(says(words, "a.md", &format!("a {word}, b\n")), 1, "{word}");
            assert_eq!(says(words, "a.md", &format!("ob{word}ive\n")), 0, "{word}");
        }
    }

    #[test]
    fn machine_paths_are_found_where_they_begin() {
        for start in MACHINE_PATHS {
            assert_eq!(says(words, "a.md", &format!("in {start}x\n")), 1, "{start}");
            assert_eq!(says(words, "a.md", &format!("in docs{start}x\n")), 0, "{start}");
        }
    }
}
