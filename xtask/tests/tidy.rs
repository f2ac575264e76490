//! The tree as it stands keeps the rules of the house.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests may stop at the first surprise"
)]

use xtask::tidy::{Weight, check, graph, tree::Tree};

/// The rules that need no other program of the workspace; `cargo xtask tidy` runs the rest too.
#[test]
fn the_tree_is_tidy() {
    let root = xtask::tasks::root();
    let tree = Tree::read(&root).expect("the tree is readable");
    let mut findings = check(&tree);
    findings.extend(graph::check(&tree, &graph::packages(&root).expect("cargo answers")));
    let mut failures = 0_u32;
    for finding in findings.iter().filter(|finding| finding.weight == Weight::Failure) {
        eprintln!("{finding}");
        failures = failures.saturating_add(1);
    }
    assert_eq!(failures, 0, "see the lines above");
}
