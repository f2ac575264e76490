//! The dependency graph: what cargo says must equal the table in ARCHITECTURE.md. Pure but for
//! [`packages`], which asks cargo.

use super::Finding;
use super::tree::Tree;
use crate::{Failure, stage};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// One dependency of a package.
#[derive(Debug, Clone)]
pub struct Needs {
    /// The package it needs.
    pub name: String,
    /// Whether the program itself needs it, not only its tests or its build.
    pub normal: bool,
}

/// One package of the workspace.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its manifest, relative to the top of the tree.
    pub manifest: String,
    /// What it needs.
    pub needs: Vec<Needs>,
}

/// The packages cargo knows.
///
/// # Errors
/// When cargo does not answer, or not in the form of format version 1.
pub fn packages(root: &Path) -> Result<Vec<Package>, Failure> {
    let mut ask = Command::new("cargo");
    ask.args(["metadata", "--no-deps", "--format-version", "1", "--quiet"]);
    let text = stage::answer(root, &mut ask)?;
    let wrong = |cause: &str| Failure::Answer {
        place: "cargo metadata".to_owned(),
        cause: cause.to_owned(),
    };
    let answer: Value = serde_json::from_str(&text).map_err(|e| wrong(&e.to_string()))?;
    let packages = answer.get("packages").and_then(Value::as_array);
    let packages = packages.ok_or_else(|| wrong("no packages"))?;
    let prefix = format!("{}/", root.display());
    packages.iter().map(|p| package(p, &prefix).ok_or_else(|| wrong("a package"))).collect()
}

fn package(value: &Value, prefix: &str) -> Option<Package> {
    let word = |value: &Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
    let manifest = word(value, "manifest_path")?;
    let mut needs = Vec::new();
    for need in value.get("dependencies")?.as_array()? {
        let normal = need.get("kind").is_none_or(Value::is_null);
        needs.push(Needs { name: word(need, "name")?, normal });
    }
    let manifest = manifest.strip_prefix(prefix).unwrap_or(&manifest).to_owned();
    Some(Package { name: word(value, "name")?, manifest, needs })
}

/// All rules of this module.
#[must_use]
pub fn check(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let mut found = table(tree.text("ARCHITECTURE.md"), packages);
    found.extend(primitives(packages));
    found.extend(quiet(packages));
    found
}

fn is_crate(package: &&Package) -> bool {
    package.manifest.starts_with("crates/")
}

/// The rows "| `crate` | … | `needs` `needs` |" under a heading cell "crate".
fn rows(architecture: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut rows = BTreeMap::new();
    let lines = architecture.lines().skip_while(|line| !line.starts_with("| crate |"));
    for line in lines.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let (Some(name), Some(needs)) = (cells.first(), cells.last()) else { continue };
        if let Some(name) = quoted(name).into_iter().next() {
            rows.insert(name, quoted(needs).into_iter().collect());
        }
    }
    rows
}

fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn table(architecture: &str, packages: &[Package]) -> Vec<Finding> {
    let mut rows = rows(architecture);
    let ours: BTreeSet<&str> = packages.iter().map(|p| p.name.as_str()).collect();
    let mut found = Vec::new();
    for package in packages.iter().filter(is_crate) {
        let mut say = |text| found.push(Finding::new("graph", &package.manifest, 0, text));
        let Some(allowed) = rows.remove(&package.name) else {
            say(format!("`{}` has no row in the table of ARCHITECTURE.md", package.name));
            continue;
        };
        let needs: BTreeSet<String> = package
            .needs
            .iter()
            .filter(|need| need.normal && ours.contains(need.name.as_str()))
            .map(|need| need.name.clone())
            .collect();
        for extra in needs.difference(&allowed) {
            say(format!("`{}` may not depend on `{extra}`: ARCHITECTURE.md", package.name));
        }
        for idle in allowed.difference(&needs) {
            say(format!("`{}` does not depend on `{idle}`; the table says so", package.name));
        }
    }
    for name in rows.keys() {
        let says = format!("the table names `{name}`, which is no crate");
        found.push(Finding::new("graph", "ARCHITECTURE.md", 0, says));
    }
    found
}

/// Beginnings of the names of cryptographic libraries.
const PRIMITIVES: [&str; 27] = [
    "aead",
    "aes",
    "argon2",
    "aws-lc",
    "blake",
    "chacha",
    "cipher",
    "curve25519",
    "digest",
    "ecdsa",
    "ed25519",
    "ed448",
    "elliptic-curve",
    "hkdf",
    "hmac",
    "hpke",
    "ml-dsa",
    "ml-kem",
    "openssl",
    "orion",
    "p256",
    "p384",
    "poly1305",
    "ring",
    "rsa",
    "sha",
    "x25519",
];

/// Only `crypto` names a primitive, in tests too.
fn primitives(packages: &[Package]) -> Vec<Finding> {
    let mut found = Vec::new();
    for package in packages.iter().filter(|package| package.name != "crypto") {
        for need in &package.needs {
            if PRIMITIVES.iter().any(|start| named(&need.name, start)) {
                let says = format!("only `crypto` names a primitive, not `{}`", need.name);
                found.push(Finding::new("graph", &package.manifest, 0, says));
            }
        }
    }
    found
}

/// `sha2` and `sha-1` begin with `sha`; `shared` does not.
fn named(name: &str, start: &str) -> bool {
    name.strip_prefix(start)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// Crates of waiting and of the web; they belong to the program `entente`.
const LOUD: [&str; 20] = [
    "actix-web",
    "async-std",
    "async-trait",
    "attohttpc",
    "axum",
    "futures",
    "h2",
    "hyper",
    "isahc",
    "mio",
    "reqwest",
    "rocket",
    "rouille",
    "smol",
    "surf",
    "tiny_http",
    "tokio",
    "tonic",
    "ureq",
    "warp",
];

/// No async runtime and no web below `entente`.
fn quiet(packages: &[Package]) -> Vec<Finding> {
    let mut found = Vec::new();
    for package in packages.iter().filter(is_crate).filter(|p| p.name != "entente") {
        for need in package.needs.iter().filter(|need| need.normal) {
            if LOUD.contains(&need.name.as_str()) {
                let says = format!("`{}` belongs to the edge, to `entente`", need.name);
                found.push(Finding::new("graph", &package.manifest, 0, says));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "| crate | contract | depends on |\n|---|---|---|\n\
        | `model` | nouns | |\n| `policy` | decides | `model` |\n\nAfter.\n";

    fn package(name: &str, needs: &[&str]) -> Package {
        let needs = needs.iter().map(|n| Needs { name: (*n).to_owned(), normal: true }).collect();
        Package { name: name.to_owned(), manifest: format!("crates/{name}/Cargo.toml"), needs }
    }

    #[test]
    fn the_graph_equals_the_table() {
        let good = [package("model", &["serde"]), package("policy", &["model"])];
        assert_eq!(table(TABLE, &good), []);
        let extra = [package("model", &["policy"]), package("policy", &["model"])];
        assert_eq!(table(TABLE, &extra).len(), 1);
        let idle = [package("model", &[]), package("policy", &[])];
        assert_eq!(table(TABLE, &idle).len(), 1);
        assert_eq!(table(TABLE, &good[..1]).len(), 1);
        let stranger = [package("model", &[]), package("policy", &["model"]), package("x", &[])];
        assert_eq!(table(TABLE, &stranger).len(), 1);
    }

    #[test]
    fn primitives_and_the_web_have_their_place() {
        for name in ["sha2", "ed25519-dalek", "aes-gcm", "hpke", "aws-lc-rs"] {
            assert_eq!(primitives(&[package("node", &[name])]).len(), 1, "{name}");
            assert_eq!(primitives(&[package("crypto", &[name])]).len(), 0, "{name}");
        }
        assert_eq!(primitives(&[package("node", &["shared", "aesthetic"])]).len(), 0);
        assert_eq!(quiet(&[package("node", &["tokio"])]).len(), 1);
        assert_eq!(quiet(&[package("entente", &["tokio"])]).len(), 0);
    }
}
