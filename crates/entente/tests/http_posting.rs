//! Partners' clients post over TAXII: status, reading back, deletion, rights, and nothing leaks.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::string_slice,
    reason = "tests may stop at the first surprise"
)]

mod stage;

use serde_json::Value;
use stage::{COALITION, Folder, Said, Site, ask, introduce};

const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const TAXII: (&str, &str) = ("content-type", "application/taxii+json;version=2.1");
const INBOX: &str = "/taxii2/api/collections/inbox";
const MERIDIAN: &str = "/taxii2/api/collections/urn:entente:agr:meridian";
const V1: &str = "2026-01-01T00:00:00.000Z";
const V2: &str = "2026-02-01T00:00:00.000Z";

struct Scene {
    _folder: Folder,
    xa: Site,
    xb: String,
    xc: String,
}

impl Scene {
    fn new() -> Self {
        let folder = Folder::new();
        let mut xa = Site::new(&folder, "xa.police.ct", "XA", None);
        let nowhere = Some("http://127.0.0.1:9");
        let xb = Site::new(&folder, "xb.police.ct", "XB", nowhere);
        let xc = Site::new(&folder, "xc.police.ncb", "XC", nowhere);
        introduce(&[&xa, &xb, &xc], &COALITION);
        let (b, c) = (xa.access(&xb), xa.access(&xc));
        xa.serve();
        Self { _folder: folder, xa, xb: b, xc: c }
    }

    fn get(&self, who: &str, path: &str) -> Said {
        self.xa.get(path, &[("authorization", who)])
    }

    fn post(&self, who: &str, collection: &str, objects: &[String]) -> Said {
        let body = format!("{{\"objects\":[{}]}}", objects.join(","));
        let path = format!("{collection}/objects/");
        self.xa.post(&path, &[("authorization", who), TAXII], body)
    }

    fn delete(&self, who: &str, path: &str) -> Said {
        ask("DELETE", &format!("{}{path}", self.xa.address), &[("authorization", who)], None)
    }
}

fn id(number: u8) -> String {
    format!("indicator--5e1f0a9c-7a3e-4c55-9d6e-0000000000{number:02}")
}

fn indicator(number: u8, modified: &str, marking: &str, more: &str) -> String {
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"{}","created":"{V1}","modified":"{modified}","name":"n","description":"the-secret-place","pattern":"[url:value = 'http://h.example/']","pattern_type":"stix","valid_from":"{V1}","object_marking_refs":["{marking}"]{more}}}"#,
        id(number)
    )
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_posting_has_a_status_is_read_back_and_deleted_for_good() {
    let scene = Scene::new();
    let (older, newer) = (indicator(1, V1, AMBER, ""), indicator(1, V2, AMBER, ""));
    let unknown = "marking-definition--00000000-0000-4000-8000-000000000000";
    let objects = [older.clone(), newer.clone(), indicator(2, V1, unknown, "")];
    let said = scene.post(&scene.xb, INBOX, &objects);
    assert_eq!(said.status, 202, "{}", said.body);
    let status = said.json();
    assert_eq!((&status["status"], &status["total_count"]), (&"complete".into(), &3.into()));
    assert_eq!((&status["success_count"], &status["failure_count"]), (&2.into(), &1.into()));
    assert_eq!(status["failures"][0]["id"], id(2));
    assert!(status["failures"][0]["message"].as_str().unwrap().contains("help: "));
    let place = format!("/taxii2/api/status/{}/", status["id"].as_str().unwrap());
    assert_eq!(scene.get(&scene.xb, &place).json(), status);
    let absent = scene.get(&scene.xc, "/taxii2/api/status/2d086da7-4bdc-4f91-900e-d77486753710/");
    assert_eq!(scene.get(&scene.xc, &place), absent, "another's status is none");
    let object = format!("{INBOX}/objects/{}/", id(1));
    assert!(scene.get(&scene.xb, &object).body.contains(&newer), "byte for byte, the newest");
    let versions = scene.get(&scene.xb, &format!("{object}versions/")).json();
    assert_eq!(texts(&versions["versions"]), [V1, V2]);
    let exactly = scene.get(&scene.xb, &format!("{object}?match[version]={V1}"));
    assert!(exactly.body.contains(&older) && !exactly.body.contains(&newer));
    let manifest = scene.get(&scene.xb, &format!("{INBOX}/manifest/?match[version]=all")).json();
    let added: Vec<&str> = manifest["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["date_added"].as_str().unwrap())
        .collect();
    assert!(added.len() == 2 && added[0] < added[1], "{manifest}");
    let again = scene.post(&scene.xb, INBOX, &[older]).json();
    assert_eq!(again["success_count"], 1, "a duplicate is a success");
    assert_eq!(
        scene.get(&scene.xb, &format!("{INBOX}/manifest/?match[version]=all")).json(),
        manifest
    );
    assert_eq!(scene.delete(&scene.xb, &format!("{object}?match[version]={V2}")).status, 200);
    assert_eq!(
        texts(&scene.get(&scene.xb, &format!("{object}versions/")).json()["versions"]),
        [V1]
    );
    assert_eq!(scene.delete(&scene.xb, &object).status, 200);
    for path in [&object, &format!("{object}versions/")] {
        assert_eq!(scene.get(&scene.xb, path).status, 404, "{path}");
    }
    assert_eq!(scene.get(&scene.xb, &format!("{INBOX}/objects/")).body, "{}");
    assert_eq!(scene.delete(&scene.xb, &object).status, 404);
    let kinds: Vec<String> = scene
        .xa
        .entries()
        .iter()
        .map(|entry| entry["entry"]["kind"].as_str().or(entry["kind"].as_str()).unwrap().to_owned())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "post").count(), 1, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| *kind == "takedown").count(), 2, "{kinds:?}");
}

#[test]
fn rights_are_those_the_collections_state() {
    let scene = Scene::new();
    let listed = scene.get(&scene.xb, "/taxii2/api/collections/").json();
    let all = listed["collections"].as_array().unwrap();
    let rights: Vec<(&str, bool, bool)> = all
        .iter()
        .map(|c| {
            let right = |name: &str| c[name].as_bool().unwrap();
            (c["alias"].as_str().unwrap(), right("can_read"), right("can_write"))
        })
        .collect();
    assert_eq!(rights[..2], [("outbox", true, false), ("inbox", true, true)]);
    assert!(rights.contains(&("urn:entente:agr:meridian", true, true)), "{rights:?}");
    let one = [indicator(1, V1, AMBER, "")];
    assert_eq!(scene.post(&scene.xb, "/taxii2/api/collections/outbox", &one).status, 403);
    let outbox = format!("/taxii2/api/collections/outbox/objects/{}/", id(1));
    assert_eq!(scene.delete(&scene.xb, &outbox).status, 403);
    let theirs = format!("/taxii2/api/collections/{}", all[1]["id"].as_str().unwrap());
    let nobody = "/taxii2/api/collections/00000000-0000-5000-8000-000000000000";
    assert_eq!(scene.post(&scene.xc, &theirs, &one), scene.post(&scene.xc, nobody, &one));
    assert_eq!(scene.post(&scene.xc, &theirs, &one).status, 404);
    assert_eq!(scene.get(&scene.xc, &theirs), scene.get(&scene.xc, nobody));
    assert_eq!(scene.post("Bearer nobody", INBOX, &one).status, 401);
    let json = [("authorization", scene.xb.as_str()), ("content-type", "application/json")];
    assert_eq!(scene.xa.post(&format!("{INBOX}/objects/"), &json, "{}").status, 415);
    assert_eq!(scene.post(&scene.xb, INBOX, &["7".to_owned()]).status, 422);
}

#[test]
fn a_community_shows_each_reader_what_the_gate_lets_through_and_no_trace_of_the_rest() {
    let scene = Scene::new();
    let granular =
        format!(r#","granular_markings":[{{"marking_ref":"{RED}","selectors":["description"]}}]"#);
    let objects = [
        indicator(1, V1, RED, ""),
        indicator(2, V1, AMBER, &granular),
        indicator(3, V1, AMBER, ""),
    ];
    assert_eq!(scene.post(&scene.xb, MERIDIAN, &objects).json()["success_count"], 3);
    let own = scene.get(&scene.xb, &format!("{MERIDIAN}/objects/"));
    assert!(objects.iter().all(|object| own.body.contains(object)), "its poster reads it whole");
    let ids = |path: &str| -> Vec<String> {
        let said = scene.get(&scene.xc, &format!("{MERIDIAN}{path}"));
        assert_eq!(said.status, 200, "{path}");
        assert!(!said.body.contains(&id(1)), "{path}: {}", said.body);
        let all = said.json()["objects"].as_array().cloned().unwrap_or_default();
        all.iter().map(|object| object["id"].as_str().unwrap().to_owned()).collect()
    };
    for path in ["/objects/", "/manifest/", "/objects/?match[version]=all"] {
        assert_eq!(ids(path), [id(2), id(3)], "{path}");
    }
    assert_eq!(ids("/manifest/?limit=2"), [id(2), id(3)]);
    let page = scene.get(&scene.xc, &format!("{MERIDIAN}/objects/?limit=2"));
    assert_eq!(page.json()["more"], false, "nothing that is withheld follows");
    let cut = scene.get(&scene.xc, &format!("{MERIDIAN}/objects/{}/", id(2)));
    assert!(cut.status == 200 && !cut.body.contains("secret"), "{}", cut.body);
    // What is withheld is answered as what never was, whatever is asked of it.
    for rest in ["", "versions/", "?match[version]=all", "versions/?limit=1"] {
        let asked = |number: u8| {
            let path = format!("{MERIDIAN}/objects/{}/{rest}", id(number));
            (scene.get(&scene.xc, &path), scene.delete(&scene.xc, &path))
        };
        assert_eq!(asked(1), asked(9), "{rest}");
        assert_eq!(asked(1).0.status, 404);
    }
    assert!(ids(&format!("/objects/?match[id]={}", id(1))).is_empty());
    // Another poster's copy neither shows nor shadows what is there.
    let copy = indicator(1, V2, AMBER, "");
    assert_eq!(
        scene.post(&scene.xc, MERIDIAN, std::slice::from_ref(&copy)).json()["success_count"],
        1
    );
    let both = scene.get(&scene.xb, &format!("{MERIDIAN}/objects/{}/", id(1)));
    assert!(both.body.contains(&copy) && both.body.contains(&objects[0]), "{}", both.body);
    let one = scene.get(&scene.xc, &format!("{MERIDIAN}/objects/{}/versions/", id(1)));
    assert_eq!(texts(&one.json()["versions"]), [V2]);
    let path = format!("{MERIDIAN}/objects/{}/", id(3));
    assert_eq!(scene.delete(&scene.xc, &path).status, 404, "only the poster takes it back");
    assert_eq!(scene.delete(&scene.xb, &path).status, 200);
    assert_eq!(scene.get(&scene.xc, &path).status, 404);
}

#[test]
fn an_officer_says_how_unmarked_postings_are_regarded() {
    let scene = Scene::new();
    let appraise = |more: &[&str]| {
        let mut words = vec!["member", "appraise", "xb.police.ct"];
        words.extend(more);
        scene.xa.command(&words)
    };
    let unmarked = |number: u8| {
        let marked = indicator(number, V1, AMBER, "");
        marked.replace(&format!(r#","object_marking_refs":["{AMBER}"]"#), "")
    };
    assert!(appraise(&["--floor", "red", "--grade", "C3"]).status.success());
    assert_eq!(scene.post(&scene.xb, MERIDIAN, &[unmarked(1)]).json()["success_count"], 1);
    assert_eq!(scene.get(&scene.xc, &format!("{MERIDIAN}/objects/")).body, "{}");
    let listed = scene.xa.run(&["member", "list"]);
    assert_eq!(listed["appraisals"]["xb.police.ct"]["grade"], "C3", "{listed}");
    assert!(appraise(&["--floor", "amber"]).status.success());
    assert_eq!(scene.post(&scene.xb, MERIDIAN, &[unmarked(2)]).json()["success_count"], 1);
    let shown = scene.get(&scene.xc, &format!("{MERIDIAN}/objects/"));
    assert!(shown.body.contains(&id(2)) && !shown.body.contains(&id(1)), "{}", shown.body);
    for (wrong, cure) in [(["--floor", "blue"], "use clear"), (["--grade", "Z9"], "A to F")] {
        let done = appraise(&wrong);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && said.contains(cure), "{said}");
    }
}
