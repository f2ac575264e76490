//! TAXII for partners: each sees what the gate lets through to it, and nothing of the others.
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
use stage::{COALITION, Folder, Said, Site, introduce, scenario};
use std::collections::BTreeSet;

struct Scene {
    _folder: Folder,
    xa: Site,
    xb: String,
    xc: String,
}

const PURPOSE: [&str; 4] = ["--purpose", "ct.investigation", "--offence", "financing"];

impl Scene {
    fn new() -> Self {
        let folder = Folder::new();
        let mut xa = Site::new(&folder, "xa.police.ct", "XA", None);
        // Nobody listens where the partners are said to be: only TAXII is looked at here.
        let nowhere = Some("http://127.0.0.1:9");
        let xb = Site::new(&folder, "xb.police.ct", "XB", nowhere);
        let xc = Site::new(&folder, "xc.police.ncb", "XC", nowhere);
        introduce(&[&xa, &xb, &xc], &COALITION);
        for partner in [&xb, &xc] {
            let mut order = vec!["order", "add", "--to", &partner.agency];
            order.extend(PURPOSE);
            xa.run(&order);
        }
        let file = scenario("records/xa-reports.json");
        xa.run(&["import", "stix", file.to_str().unwrap()]);
        let (b, c) = (xa.access(&xb), xa.access(&xc));
        xa.serve();
        Self { _folder: folder, xa, xb: b, xc: c }
    }

    fn get(&self, who: &str, path: &str) -> Said {
        self.xa.get(path, &[("authorization", who)])
    }

    fn collection(&self, who: &str) -> String {
        let said = self.get(who, "/taxii2/api/collections/");
        let listed = said.json()["collections"].as_array().unwrap().clone();
        assert_eq!(listed[0]["alias"], "outbox", "what was released stands first");
        format!("/taxii2/api/collections/{}", listed[0]["id"].as_str().unwrap())
    }
}

fn ids(said: &Said) -> Vec<String> {
    assert_eq!(said.status, 200, "{}", said.body);
    let value = said.json();
    let objects = value["objects"].as_array().cloned().unwrap_or_default();
    objects.iter().map(|object| object["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_partner_sees_its_own_collection_and_no_other() {
    let scene = Scene::new();
    let (b, c) = (scene.collection(&scene.xb), scene.collection(&scene.xc));
    assert_ne!(b, c);
    let nobody = "/taxii2/api/collections/00000000-0000-5000-8000-000000000000";
    let object = ids(&scene.get(&scene.xb, &format!("{b}/objects/"))).remove(0);
    for rest in [
        "/".to_owned(),
        "/objects/".to_owned(),
        "/objects/?limit=0".to_owned(),
        "/manifest/".to_owned(),
        format!("/objects/{object}/"),
        format!("/objects/{object}/versions/"),
    ] {
        let other = scene.get(&scene.xc, &format!("{b}{rest}"));
        assert_eq!(other.status, 404, "{rest}");
        assert_eq!(other, scene.get(&scene.xc, &format!("{nobody}{rest}")), "{rest}");
    }
    let officer = format!("Bearer {}", scene.xa.token());
    assert_eq!(scene.get(&officer, "/taxii2/").status, 401);
}

#[test]
fn only_what_the_gate_lets_through_is_served_listed_or_counted() {
    let scene = Scene::new();
    for (agency, who) in [("xb.police.ct", &scene.xb), ("xc.police.ncb", &scene.xc)] {
        let mut ask = vec!["audience", "--to", agency, "--limit", "1000"];
        ask.extend(PURPOSE);
        let told = scene.xa.run(&ask);
        let outcome = |wanted: &[&str]| -> BTreeSet<String> {
            let rows = told["records"].as_array().unwrap_or_else(|| panic!("{told}"));
            let fits = rows.iter().filter(|row| wanted.contains(&row["outcome"].as_str().unwrap()));
            fits.map(|row| row["record"].as_str().unwrap().to_owned()).collect()
        };
        let base = scene.collection(who);
        let objects = scene.get(who, &format!("{base}/objects/"));
        let manifest = scene.get(who, &format!("{base}/manifest/"));
        let served: BTreeSet<String> = ids(&objects).into_iter().collect();
        assert_eq!(served, outcome(&["release", "redact"]), "{agency}");
        assert_eq!(ids(&manifest), ids(&objects));
        let all = scene.xa.run(&["list", "--limit", "1000"]);
        let all = all["records"].as_array().unwrap().iter();
        let all: BTreeSet<String> = all
            .map(|row| row["id"].as_str().unwrap_or_else(|| panic!("{row}")).to_owned())
            .collect();
        assert_eq!(
            told["tally"]["refused"],
            all.len() - outcome(&["release", "redact", "hit_only"]).len()
        );
        let hidden: BTreeSet<String> = all.difference(&served).cloned().collect();
        assert!(hidden.len() > 5 && served.len() > 3, "the scenario lost its point");
        for id in hidden {
            for said in [&objects, &manifest] {
                assert!(!said.body.contains(&id), "{agency} is shown {id}");
            }
            let one = scene.get(who, &format!("{base}/objects/{id}/"));
            let none = scene.get(who, &format!("{base}/objects/report--none/"));
            assert_eq!((one.status, &one), (404, &none), "{agency} learns of {id}");
        }
        assert!(!objects.body.contains("source.identity"), "a withheld field is served");
    }
}

#[test]
fn pages_follow_each_other_and_say_when_they_end() {
    let scene = Scene::new();
    let base = scene.collection(&scene.xb);
    let whole = scene.get(&scene.xb, &format!("{base}/objects/"));
    let (mut seen, mut place) = (Vec::new(), String::new());
    loop {
        let said = scene.get(&scene.xb, &format!("{base}/objects/?limit=2{place}"));
        seen.extend(ids(&said));
        let value = said.json();
        match value["next"].as_str() {
            Some(next) => place = format!("&next={next}"),
            None => {
                assert_eq!(value["more"], false);
                break;
            }
        }
    }
    assert_eq!(seen, ids(&whole));
    let last = whole.header("x-taxii-date-added-last").unwrap();
    let after = scene.get(&scene.xb, &format!("{base}/objects/?added_after={last}"));
    assert_eq!((after.status, after.body.as_str()), (200, "{}"));
    let kind = |value: &Value| value["type"].as_str().unwrap() == "report";
    let reports = scene.get(&scene.xb, &format!("{base}/objects/?match[type]=report"));
    assert!(!ids(&reports).is_empty());
    assert!(reports.json()["objects"].as_array().unwrap().iter().all(kind));
    let two = format!("{},{}", seen[0], seen[1]);
    let named = scene.get(&scene.xb, &format!("{base}/objects/?match[id]={two}"));
    assert_eq!(ids(&named), seen[..2]);
    let versions = scene.get(&scene.xb, &format!("{base}/objects/{}/versions/", seen[0])).json();
    assert_eq!(versions["versions"].as_array().unwrap().len(), 1);
}

#[test]
fn requests_that_do_not_fit_are_told_so_in_the_form_of_taxii() {
    let scene = Scene::new();
    let base = scene.collection(&scene.xb);
    let media = "application/taxii+json;version=2.1";
    for (query, status) in [
        ("limit=0", 400),
        ("limit=1&limit=1", 400),
        ("added_after=garbage", 400),
        ("next=garbage", 400),
        ("match[version]=all,last", 400),
        ("limit=1000000", 200),
        ("added_after=2016-01-01T00:00:00Z", 200),
        ("match[spec_version]=2.1", 200),
    ] {
        let said = scene.get(&scene.xb, &format!("{base}/objects/?{query}"));
        assert_eq!(said.status, status, "{query}: {}", said.body);
        assert_eq!(said.header("content-type"), Some(media));
        if status != 200 {
            assert_eq!(said.json()["http_status"], status.to_string());
            assert!(said.json()["title"].is_string());
        }
    }
    let accept = |text: &str| {
        let headers = [("authorization", scene.xb.as_str()), ("accept", text)];
        scene.xa.get("/taxii2/", &headers).status
    };
    assert_eq!(accept("application/taxii+json"), 200);
    assert_eq!(accept("text/html, application/taxii+json;version=2.1;q=0.5"), 200);
    assert_eq!(accept("text/html"), 406);
    let headers = [("authorization", scene.xb.as_str()), ("content-type", media)];
    let posted = scene.xa.post(&format!("{base}/objects/"), &headers, "{\"objects\":[]}");
    assert_eq!(posted.status, 403);
    let posted = scene.xa.post("/taxii2/", &headers, "{}");
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
    // Nobody who may not post is listened to, however much it is.
    let large = scene.xa.post("/taxii2/", &headers, vec![b' '; 9 * 1024 * 1024]);
    assert_eq!(large.status, 405);
}

#[test]
fn every_read_is_in_the_log_and_a_recall_ends_reading() {
    let scene = Scene::new();
    let base = scene.collection(&scene.xb);
    let reads = || {
        let entries = scene.xa.entries();
        let by_partner =
            |e: &&Value| e["entry"]["kind"] == "query" && e["entry"]["partner"] == "xb.police.ct";
        entries.iter().filter(by_partner).cloned().collect::<Vec<_>>()
    };
    let before = reads().len();
    let served = ids(&scene.get(&scene.xb, &format!("{base}/objects/?limit=3")));
    let after = reads();
    assert_eq!(after.len(), before + 1);
    let read = after.last().unwrap();
    assert_eq!(read["entry"]["count"], 3);
    assert!(read["openings"]["query"]["value"].as_str().unwrap().contains("limit=3"));
    let address = format!("{base}/objects/{}/", served[0]);
    assert_eq!(scene.get(&scene.xb, &address).status, 200);
    scene.xa.run(&["recall", &served[0], "--reason", "an error"]);
    assert_eq!(scene.get(&scene.xb, &address).status, 404);
    let manifest = scene.get(&scene.xb, &format!("{base}/manifest/"));
    assert!(!manifest.body.contains(&served[0]));
    // A new token ends the old one.
    let renewed = scene.xa.run(&["member", "token", "xb.police.ct"]);
    assert_eq!(scene.get(&scene.xb, "/taxii2/").status, 401);
    let renewed = format!("Bearer {}", renewed["token"].as_str().unwrap());
    assert_eq!(scene.get(&renewed, "/taxii2/").status, 200);
}
