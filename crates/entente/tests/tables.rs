//! Tables through the program: the guide's own commands, and the gate.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "tests may stop at the first surprise"
)]

mod stage;

use serde_json::Value;
use stage::{COALITION, Folder, Site, introduce, scenario};
use std::process::Command;

const GUIDE: &str = include_str!("../../../docs/guides/spreadsheets.md");

/// The fenced blocks of the guide, with the word behind their fence.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let blocks = GUIDE.split("```").skip(1).step_by(2);
    blocks.map(|block| block.split_once('\n').unwrap()).collect()
}

#[test]
fn the_guide_does_what_it_says() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    introduce(&[&xa], &[]);
    std::fs::rename(&xa.dir, folder.0.join("xa")).unwrap();
    let (mut done, mut said) = (0, Vec::new());
    for (word, text) in blocks() {
        match word {
            "csv" => std::fs::write(folder.0.join("seizures.csv"), text).unwrap(),
            "toml" => {
                let path = folder.0.join("seizures.csv.map.toml");
                let map = std::fs::read_to_string(&path).unwrap();
                assert_eq!(map.matches("dates = \"?\"").count(), 1, "{map}");
                std::fs::write(&path, map.replace("dates = \"?\"", text.trim())).unwrap();
            }
            _ => {
                for line in text.lines() {
                    let words = line.strip_prefix("entente ").unwrap().split(' ');
                    let ran = Command::new(env!("CARGO_BIN_EXE_entente"))
                        .current_dir(&folder.0)
                        .arg("--json")
                        .args(words)
                        .output()
                        .unwrap();
                    let errors = String::from_utf8_lossy(&ran.stderr);
                    assert!(ran.status.success(), "{line}: {errors}");
                    said.push(serde_json::from_slice::<Value>(&ran.stdout).unwrap());
                    done += 1;
                }
            }
        }
    }
    assert_eq!(done, 5);
    assert_eq!(said[0]["record"], "indicator");
    assert!(said[0]["open"]["reason"].as_str().unwrap().contains("dates in `seen`"), "{}", said[0]);
    assert_eq!((&said[1]["dry_run"], &said[1]["rejected"]), (&true.into(), &0.into()));
    assert_eq!(said[2]["stored"], 2, "{}", said[2]);
    assert_eq!((&said[4]["stored"], &said[4]["unchanged"]), (&0.into(), &2.into()), "{}", said[4]);
    let table = std::fs::read_to_string(folder.0.join("mine.csv")).unwrap();
    assert!(table.contains(",https://pay.harrow.example/a,'=1+1,"), "{table}");
}

#[test]
fn a_table_needs_a_map_and_a_map_a_table() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    introduce(&[&xa], &[]);
    let path = |name: &str| folder.0.join(name).display().to_string();
    let (table, map) = (path("t.csv"), path("t.csv.map.toml"));
    std::fs::write(&table, "ip,day\n203.0.113.7,2025-04-03\n").unwrap();
    let failed = |words: &[&str]| {
        let ran = xa.command(words);
        let text = [ran.stdout, ran.stderr].concat();
        (ran.status.code(), String::from_utf8(text).unwrap())
    };
    let (_, text) = failed(&["import", "csv", &table]);
    assert!(text.contains("no map says how to read it") && text.contains("entente map"), "{text}");
    xa.run(&["map", &table]);
    let (status, text) = failed(&["map", &table]);
    assert!(status == Some(2) && text.contains("--force"), "{text}");
    xa.run(&["map", &table, "--force", "--as", "observed-data"]);
    assert_eq!(xa.run(&["import", "csv", &table, "--map", &map])["by_type"]["observed-data"], 1);
    let (status, text) = failed(&["import", "stix", &table, "--map", &map]);
    assert!(status == Some(2) && text.contains("not for the format `stix`"), "{text}");
    std::fs::write(&map, "format = 1\n").unwrap();
    let (status, text) = failed(&["import", "csv", &table, "--map", &map]);
    assert!(status == Some(2) && text.contains("t.csv.map.toml"), "{text}");
}

#[test]
fn a_table_for_a_partner_holds_what_the_gate_lets_through() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    let xb = Site::new(&folder, "xb.police.ct", "XB", None);
    introduce(&[&xa, &xb], &COALITION);
    xa.run(&["import", "stix", scenario("records/xa-reports.json").to_str().unwrap()]);
    let path = |name: &str| folder.0.join(name).display().to_string();
    let (table, bundle) = (path("out.csv"), path("out.json"));
    let to = ["--to", "xb.police.ct", "--purpose", "ct.investigation", "--offence", "financing"];
    let said = xa.run(&[&["export", "csv"], &to[..], &["--out", &table]].concat());
    let tally = |key: &str| said["tally"][key].as_u64().unwrap();
    assert!(tally("redacted") > 0 && tally("released") > 0 && tally("refused") > 0, "{said}");
    xa.run(&[&["export", "stix"], &to[..], &["--lines", "--out", &bundle]].concat());
    let mut released: Vec<String> =
        std::fs::read_to_string(&bundle).unwrap().lines().map(str::to_owned).collect();
    let text = std::fs::read_to_string(&table).unwrap();
    let redacted = text.matches("\r\nredacted,").count() as u64;
    assert_eq!(
        (redacted, text.matches("\r\nwhole,").count() as u64),
        (tally("redacted"), tally("released"))
    );
    for record in said["not_whole"].as_array().unwrap() {
        let id = record["record"].as_str().unwrap();
        assert_eq!(record["outcome"] == "redacted", text.contains(&format!(",{id},")), "{id}");
    }
    // What the partner reads from the table is what it would read from STIX.
    let count = released.len() as u64;
    let taken = xb.run(&["import", "csv", &table, "--dry-run"]);
    let other = xb.run(&["import", "stix", &bundle, "--dry-run"]);
    assert_eq!((&taken["by_type"], &taken["rejected"]), (&other["by_type"], &0.into()));
    assert_eq!(count, tally("redacted") + tally("released"));
    let flat = text.replace(['\n', '\r'], " ");
    released.retain(|line| !flat.contains(&line.replace('"', "\"\"")));
    assert!(released.is_empty(), "each object stands in the table byte for byte: {released:?}");
}
