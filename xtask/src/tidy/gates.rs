//! The two gates: who may state that a value is verified, who may make a release. Pure.

use super::Finding;
use super::code::Code;
use super::tree::Tree;

/// Where [`vouching`] allows `Verified::vouch`: formats, the node's own queue, tests.
const MAY_VOUCH: [&str; 3] = ["crates/wire/", "crates/node/", "crates/sim/"];

/// `Verified::vouch` is called only where signatures are checked (law 1).
#[must_use]
pub fn vouching(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, code) in tree.code() {
        if MAY_VOUCH.iter().any(|start| path.starts_with(start)) || path.contains("/tests/") {
            continue;
        }
        for (line, words) in code.words() {
            let calls = words.windows(2).any(|pair| pair == ["Verified", "vouch"]);
            if calls && !code.is_test(line) {
                let says = "`Verified::vouch` belongs to wire and node (law 1)".to_owned();
                found.push(Finding::new("gates", path, line, says));
            }
        }
    }
    found
}

/// A `Released` is made only by `policy` (law 2).
#[must_use]
pub fn releasing(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, code) in tree.code() {
        if path.starts_with("crates/policy/") {
            continue;
        }
        for line in makes_released(code) {
            let says = "a `Released` is made only by policy (law 2)".to_owned();
            found.push(Finding::new("gates", path, line, says));
        }
    }
    found
}

/// Lines where `Released {` or `Released::<T> {` stands as an expression.
fn makes_released(code: &Code) -> Vec<usize> {
    let mut found = Vec::new();
    for (at, line) in code.lines.iter().enumerate() {
        for (start, _) in line.match_indices("Released") {
            let before = line.get(..start).unwrap_or_default();
            let after = line.get(start..).unwrap_or_default().trim_start_matches("Released");
            let after = after.strip_prefix("::").unwrap_or(after);
            let after = after.split_once('>').filter(|_| after.starts_with('<'));
            let rest = after.map_or_else(
                || line.get(start..).unwrap_or_default().trim_start_matches("Released"),
                |(_, rest)| rest,
            );
            let whole = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let declares = ["struct ", "enum ", "for ", "impl ", "> ", "-> "]
                .iter()
                .any(|word| before.ends_with(word));
            if whole && !declares && rest.trim_start().starts_with('{') {
                found.push(at.saturating_add(1));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vouching_elsewhere_is_found() {
        let call = "fn f() { Verified::vouch(1, v, t); }";
        assert_eq!(vouching(&Tree::of(&[("crates/protocol/src/a.rs", call)])).len(), 1);
        assert_eq!(vouching(&Tree::of(&[("crates/wire/src/a.rs", call)])).len(), 0);
        assert_eq!(vouching(&Tree::of(&[("crates/protocol/tests/a.rs", call)])).len(), 0);
        let comment = "// Verified::vouch(1)";
        assert_eq!(vouching(&Tree::of(&[("crates/protocol/src/a.rs", comment)])).len(), 0);
    }

    #[test]
    fn making_a_release_elsewhere_is_found() {
        for made in ["Released { a }", "x(policy::Released { a })", "Released::<B> { a }"] {
            let tree = Tree::of(&[("crates/node/src/a.rs", made)]);
            assert_eq!(releasing(&tree).len(), 1, "{made}");
            let tree = Tree::of(&[("crates/policy/src/a.rs", made)]);
            assert_eq!(releasing(&tree).len(), 0, "{made}");
        }
        for other in ["fn f(r: &Released<B>) {", "impl Show for Released<B> {", "NotReleased { a }"]
        {
            let tree = Tree::of(&[("crates/node/src/a.rs", other)]);
            assert_eq!(releasing(&tree).len(), 0, "{other}");
        }
    }
}
