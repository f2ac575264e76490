//! Documents: every link, path and command in them leads somewhere. Pure.

use super::Finding;
use super::tree::Tree;

/// Endings that make a text with a `/` in it a path of this tree.
const ENDINGS: [&str; 10] =
    [".rs", ".md", ".toml", ".json", ".ts", ".css", ".html", ".sh", ".csv", ".yml"];

/// A line of a document and whether it stands in a fenced block.
struct Line<'a> {
    number: usize,
    text: &'a str,
    fenced: bool,
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut fenced = false;
    let mut out = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let mark = line.trim_start().starts_with("```");
        if mark {
            fenced = !fenced;
        } else {
            out.push(Line { number: at.saturating_add(1), text: line, fenced });
        }
    }
    out
}

fn documents(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.pages
        .iter()
        .filter(|(path, _)| path.ends_with(".md"))
        .map(|(path, page)| (path.as_str(), page.text.as_str()))
}

/// Links and quoted paths in documents, and documents named in code, exist.
#[must_use]
pub fn references(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in documents(tree) {
        for line in lines(text).iter().filter(|line| !line.fenced) {
            for target in links(line.text) {
                if !link_resolves(tree, path, target) {
                    let says = format!("the link `{target}` leads nowhere");
                    found.push(Finding::new("links", path, line.number, says));
                }
            }
            for span in line.text.split('`').skip(1).step_by(2) {
                if is_path(tree, span) && !resolves(tree, path, span) {
                    let says = format!("there is no `{span}`");
                    found.push(Finding::new("paths", path, line.number, says));
                }
            }
        }
    }
    found.extend(documents_named_in_code(tree));
    found
}

fn documents_named_in_code(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, _) in tree.code().filter(|(path, _)| !path.starts_with("xtask/src/tidy/")) {
        for (at, line) in tree.text(path).lines().enumerate() {
            let words = line.split(|c: char| !(c.is_alphanumeric() || "/._-".contains(c)));
            for word in words.filter(|word| word.starts_with("docs/") && word.contains(".md")) {
                let word = word.trim_end_matches('.');
                if !resolves(tree, path, word) {
                    let says = format!("there is no `{word}`");
                    found.push(Finding::new("paths", path, at.saturating_add(1), says));
                }
            }
        }
    }
    found
}

/// The targets of `[text](target)`.
fn links(line: &str) -> Vec<&str> {
    let ends = line.split("](").skip(1);
    ends.filter_map(|rest| rest.split(')').next()).collect()
}

fn link_resolves(tree: &Tree, from: &str, target: &str) -> bool {
    if target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let place = if file.is_empty() { from.to_owned() } else { joined(from, file) };
    let exists = tree.paths.contains(&place) || tree.folders.contains(place.trim_end_matches('/'));
    exists && (anchor.is_empty() || anchors(tree.text(&place)).iter().any(|a| a == anchor))
}

/// The anchors of a document, one a heading: lower case, blanks as `-`, other signs dropped.
fn anchors(text: &str) -> Vec<String> {
    let headings =
        lines(text).into_iter().filter(|line| !line.fenced && line.text.starts_with('#'));
    headings
        .map(|line| {
            let title = line.text.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// `target` as seen from the folder of `from`, with `..` and `.` taken out.
fn joined(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether a quoted text means a path of this tree: plain signs, and a known beginning or ending.
fn is_path(tree: &Tree, span: &str) -> bool {
    let plain = span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    if !plain || span.starts_with('/') || span.starts_with("..") {
        return false;
    }
    let placeholder = |part: &str| part.len() < 9 && part.chars().all(|c| c.is_ascii_uppercase());
    if span.contains('/') && span.split('/').any(|part| !part.is_empty() && placeholder(part)) {
        return false;
    }
    let top = span.split('/').next().unwrap_or(span);
    let rooted = span.contains('/') && tree.folders.contains(top);
    let ended = ENDINGS.iter().any(|end| span.ends_with(end) && span.len() > end.len());
    let bare = [".rs", ".md"].iter().any(|end| span.ends_with(end) && span.len() > end.len());
    rooted || (ended && span.contains('/')) || bare
}

/// From the top, from the document's folder, or as the unmistakable end of a path.
fn resolves(tree: &Tree, from: &str, span: &str) -> bool {
    let span = span.trim_end_matches('/');
    let near = joined(from, span);
    let tail = format!("/{span}");
    let is = |path: &str| path == span || path == near || path.ends_with(&tail);
    tree.paths.iter().any(|path| is(path)) || tree.folders.iter().any(|path| is(path))
}

/// The names a program prints, one a line.
#[must_use]
pub fn names(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Every `program WORD` in a quoted text or at the start of a fenced line is a known command.
#[must_use]
pub fn commands(tree: &Tree, program: &str, known: &[String]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in documents(tree) {
        for line in lines(text) {
            let calls: Vec<&str> = if line.fenced {
                vec![line.text.trim_start().trim_start_matches("$ ")]
            } else {
                line.text.split('`').skip(1).step_by(2).collect()
            };
            for call in calls {
                let Some(rest) = call.strip_prefix(program).and_then(|r| r.strip_prefix(' '))
                else {
                    continue;
                };
                let word = verb(rest);
                let named = word.starts_with(|c: char| c.is_ascii_lowercase());
                if named && !known.iter().any(|name| name == word) {
                    let says = format!("`{program}` knows no `{word}`");
                    found.push(Finding::new("commands", path, line.number, says));
                }
            }
        }
    }
    found
}

/// The first word that is neither a switch nor the value of `-n`, `--node` or `--officer`.
fn verb(rest: &str) -> &str {
    let mut words = rest.split_whitespace();
    while let Some(word) = words.next() {
        if ["-n", "--node", "--officer"].contains(&word) {
            words.next();
        } else if !word.starts_with('-') {
            return word.split(|c: char| !(c.is_alphanumeric() || c == '-')).next().unwrap_or("");
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Tree {
        Tree::of(&[
            ("docs/a.md", text),
            ("docs/b.md", "# One head: here\n"),
            ("crates/wire/src/stix.rs", "//! See docs/b.md.\n"),
        ])
    }

    #[test]
    fn links_and_anchors_must_lead_somewhere() {
        let good =
            "[b](b.md) [h](b.md#one-head-here) [w](https://example.org/x) [c](../crates/wire)";
        assert_eq!(references(&tree(good)), []);
        assert_eq!(references(&tree("[x](c.md) [h](b.md#two)")).len(), 2);
        assert_eq!(references(&tree("```\n[x](c.md)\n```\n")), []);
    }

    #[test]
    fn quoted_paths_must_exist() {
        assert_eq!(
            references(&tree("`wire/src/stix.rs` `stix.rs` `crates/wire/` `a/b` `X/y.rs`")),
            []
        );
        assert_eq!(
            references(&tree("`crates/wire/src/misp.rs` `misp.rs` `crates/misp/`")).len(),
            3
        );
    }

    #[test]
    fn documents_named_in_code_must_exist() {
        let tree = Tree::of(&[("crates/a/src/x.rs", "//! SOURCE: docs/none.md.\n")]);
        assert_eq!(references(&tree).len(), 1);
    }

    #[test]
    fn commands_must_be_known() {
        let known = names("test\ntidy\n");
        let found = |text: &str| commands(&tree(text), "cargo xtask", &known).len();
        assert_eq!(found("`cargo xtask test` and\n```\n$ cargo xtask tidy\n```\n"), 0);
        assert_eq!(found("`cargo xtask nothing` and\n```\ncargo xtask never\n```\n"), 2);
        assert_eq!(found("`cargo xtask TASK`"), 0);
        assert_eq!(verb("-n DIR --json import stix"), "import");
        assert_eq!(verb("--help"), "");
    }
}
