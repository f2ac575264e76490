//! MISP events out: through the same gate and log as any export, and never wider than they were.
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

fn path(folder: &Folder, name: &str) -> String {
    folder.0.join(name).display().to_string()
}

fn json_file(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn count(site: &Site, kind: &str) -> u64 {
    site.run(&["log", "verify"])["audit"]["kinds"][kind].as_u64().unwrap_or(0)
}

#[test]
fn an_own_copy_of_events_comes_back_as_it_was_and_is_no_release() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    introduce(&[&xa], &[]);
    let events = concat!(env!("CARGO_MANIFEST_DIR"), "/../wire/tests/data/misp/lantern.json");
    let said = xa.run(&["import", "misp", events]);
    let (stored, out) = (said["stored"].as_u64().unwrap(), path(&folder, "out.json"));
    assert_eq!(stored, 9, "{said}");
    xa.run(&["export", "misp", "--own", "--out", &out]);
    let written = json_file(&out);
    let event = &written["response"][0]["Event"];
    assert_eq!(event["distribution"], "2", "what is ours is stated as it was");
    assert_eq!(event["info"], "Transfers before the Harrow festival");
    assert_eq!(event["Object"][0]["Attribute"][0]["value"], "Ivo Marsh");
    assert_eq!((count(&xa, "release"), count(&xa, "query")), (0, 1));
    // Read again, nothing is new.
    let again = xa.run(&["import", "misp", &out]);
    assert_eq!((&again["stored"], &again["unchanged"]), (&0.into(), &stored.into()), "{again}");
}

#[test]
fn events_for_a_partner_are_releases_for_one_organisation() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    let xb = Site::new(&folder, "xb.police.ct", "XB", None);
    introduce(&[&xa, &xb], &COALITION);
    xa.run(&["import", "stix", scenario("records/xa-reports.json").to_str().unwrap()]);
    let out = path(&folder, "out.json");
    let words = |format: &'static str| {
        let to =
            ["--to", "xb.police.ct", "--purpose", "ct.investigation", "--offence", "financing"];
        [&["export", format], &to[..], &["--out", &out]].concat()
    };
    let said = xa.run(&words("misp"));
    let tally = |key: &str| said["tally"][key].as_u64().unwrap();
    let went = tally("released") + tally("redacted");
    assert!(went > 3 && tally("refused") > 0 && tally("redacted") > 0, "{said}");
    assert_eq!(count(&xa, "release"), went + tally("hit_only"), "each is logged as a release");
    let events = json_file(&out)["response"].as_array().unwrap().clone();
    assert!(events.iter().all(|event| event["Event"]["distribution"] == "0"));
    let misp = std::fs::read_to_string(&out).unwrap();
    xa.run(&words("stix"));
    // Nothing stands in the events that does not stand in what the gate lets through.
    let released = json_file(&out)["objects"].as_array().unwrap().clone();
    let mut parts = 0;
    for event in &events {
        for list in ["Attribute", "Object", "EventReport"] {
            parts += event["Event"][list].as_array().map_or(0, Vec::len) as u64;
        }
    }
    assert_eq!(parts, went, "one part a record");
    for object in released {
        let id = object["id"].as_str().unwrap();
        let uuid = id.split_once("--").unwrap().1;
        assert!(misp.contains(uuid), "{id} is in the events");
    }
    for record in said["not_whole"].as_array().unwrap() {
        let id = record["record"].as_str().unwrap();
        if record["outcome"] == "refused" {
            assert!(!misp.contains(id.split_once("--").unwrap().1), "{id} was refused");
        }
    }
}

#[test]
fn a_feeds_folder_is_read_whole_or_not_at_all() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    introduce(&[&xa], &[]);
    let feed = folder.0.join("feed");
    std::fs::create_dir(&feed).unwrap();
    let run = || {
        let done = xa.command(&["import", "misp", feed.to_str().unwrap()]);
        (done.status.code().unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    let (status, errors) = run();
    assert!(status == 2 && errors.contains("holds no events"), "{errors}");
    let uuid = "0b5c0de1-1111-4111-8111-000000000001";
    let event = concat!(env!("CARGO_MANIFEST_DIR"), "/../wire/tests/data/misp/lantern.json");
    std::fs::write(feed.join("manifest.json"), format!("{{\"{uuid}\":{{\"info\":\"x\"}}}}"))
        .unwrap();
    std::fs::write(feed.join("hashes.csv"), "").unwrap();
    let (status, errors) = run();
    assert!(status == 2 && errors.contains("which is absent"), "{errors}");
    std::fs::copy(event, feed.join(format!("{uuid}.json"))).unwrap();
    std::fs::write(feed.join("not-an-event.json"), "{").unwrap();
    let said = xa.run(&["import", "misp", feed.to_str().unwrap()]);
    assert_eq!(said["stored"], 9, "{said}");
    std::fs::write(feed.join("manifest.json"), "{\"../../etc/passwd\":{}}").unwrap();
    let (status, errors) = run();
    assert!(status == 2 && errors.contains("not the UUID of an event"), "{errors}");
}

#[test]
fn an_export_as_a_feed_is_one_and_forgets_what_left_it() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    introduce(&[&xa], &[]);
    let events = concat!(env!("CARGO_MANIFEST_DIR"), "/../wire/tests/data/misp/lantern.json");
    let stored = xa.run(&["import", "misp", events])["stored"].clone();
    let feed = path(&folder, "feed");
    let words = ["export", "misp", "--own", "--feed", &feed];
    let said = xa.run(&[&words[..], &["--dry-run"]].concat());
    assert!(said["dry_run"] == true && !folder.0.join("feed").exists(), "{said}");
    let files = || {
        let mut all: Vec<(String, Vec<u8>)> = std::fs::read_dir(&feed)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
            })
            .collect();
        all.sort();
        all
    };
    assert_eq!(xa.run(&words)["out"], *feed);
    let first = files();
    let uuid = "0b5c0de1-1111-4111-8111-000000000001";
    let manifest = json_file(&path(&folder, "feed/manifest.json"));
    assert_eq!(manifest[uuid]["info"], "Transfers before the Harrow festival");
    assert_eq!(manifest.as_object().unwrap().len() + 2, first.len(), "{manifest}");
    let again = xa.run(&["import", "misp", &feed]);
    assert_eq!((&again["stored"], &again["unchanged"]), (&0.into(), &stored), "{again}");
    let stale = folder.0.join("feed/00000000-0000-4000-8000-000000000000.json");
    std::fs::write(&stale, "{}").unwrap();
    std::fs::write(folder.0.join("feed/index.html"), "ours").unwrap();
    xa.run(&words);
    assert!(!stale.exists(), "an event that left the feed is gone");
    let kept = files().into_iter().filter(|(name, _)| name != "index.html").collect::<Vec<_>>();
    assert_eq!(kept, first, "the same records are the same bytes");
}

#[test]
fn a_feed_goes_into_no_foreign_folder_and_to_nobody_unasked() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    introduce(&[&xa], &[]);
    let events = concat!(env!("CARGO_MANIFEST_DIR"), "/../wire/tests/data/misp/lantern.json");
    xa.run(&["import", "misp", events]);
    let home = path(&folder, "home");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(folder.0.join("home/letter.txt"), "mine").unwrap();
    let fails = |words: &[&str], what: &str| {
        let done = xa.command(words);
        let errors = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.code() == Some(2) && errors.contains(what), "{errors}");
    };
    fails(&["export", "misp", "--own", "--feed", &home], "holds other files");
    fails(&["export", "stix", "--own", "--feed", &home], "writes MISP events");
    fails(&["export", "misp", "--own", "--feed", &home, "--lines"], "--lines");
    assert_eq!(std::fs::read_dir(&home).unwrap().count(), 1, "nothing was written");
    assert_eq!(count(&xa, "query"), 0, "nothing was read before the folder was looked at");
}
