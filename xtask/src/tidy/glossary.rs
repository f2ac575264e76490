//! One noun, one name: every public type of `model` stands in the glossary. Pure.

use super::Finding;
use super::tree::Tree;

/// Public types of `crates/model` that GLOSSARY.md does not name in backticks.
#[must_use]
pub fn nouns(tree: &Tree) -> Vec<Finding> {
    let glossary = tree.text("GLOSSARY.md");
    let mut found = Vec::new();
    for (path, code) in tree.code() {
        if !path.starts_with("crates/model/src/") {
            continue;
        }
        for (line, words) in code.words() {
            let [first, second, rest @ ..] = words.as_slice() else { continue };
            let Some(name) = rest.first() else { continue };
            let declares = *first == "pub" && ["struct", "enum", "trait"].contains(second);
            let in_macro = code.lines.get(line.saturating_sub(1)).is_some_and(|l| l.contains('$'));
            if declares && !in_macro && !glossary.contains(&format!("`{name}`")) {
                let says = format!("`{name}` is not in GLOSSARY.md");
                found.push(Finding::new("glossary", path, line, says));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noun_without_entry_is_found() {
        let code = ("crates/model/src/a.rs", "pub struct Record {}\npub enum Outcome {}\n");
        let tree = Tree::of(&[code, ("GLOSSARY.md", "| `Record` | a record |")]);
        let found = nouns(&tree);
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(|finding| finding.says.contains("Outcome")));
    }
}
