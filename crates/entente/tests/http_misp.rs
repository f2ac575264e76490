//! A partner's MISP pulls from a node and pushes to it: its forms, its rights, and nothing leaks.
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

use serde_json::{Value, json};
use stage::{COALITION, Folder, JSON, Said, Site, ask, introduce, scenario};

const EVENT: &str = "0b5c0de1-1111-4111-8111-0000000000aa";
const ATTRIBUTE: &str = "0b5c0de1-3333-4333-8333-0000000000aa";
const SIGHTING: &str = "0b5c0de1-4444-4444-8444-0000000000aa";

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
        let to =
            ["--to", "xb.police.ct", "--purpose", "ct.investigation", "--offence", "financing"];
        xa.run(&[&["order", "add"], &to[..]].concat());
        xa.run(&["import", "stix", scenario("records/xa-reports.json").to_str().unwrap()]);
        let key = |site: &Site| xa.access(site).trim_start_matches("Bearer ").to_owned();
        let (b, c) = (key(&xb), key(&xc));
        xa.serve();
        Self { _folder: folder, xa, xb: b, xc: c }
    }

    fn get(&self, who: &str, path: &str) -> Said {
        self.xa.get(path, &[("authorization", who)])
    }

    fn post(&self, who: &str, path: &str, body: &Value) -> Said {
        self.xa.post(path, &[("authorization", who), JSON], body.to_string())
    }

    fn index(&self, who: &str, body: &Value) -> Vec<Value> {
        let said = self.post(who, "/events/index", body);
        assert_eq!(said.status, 200, "{}", said.body);
        said.json().as_array().unwrap().clone()
    }

    fn reads(&self) -> u64 {
        self.xa.run(&["log", "verify"])["audit"]["kinds"]["query"].as_u64().unwrap_or(0)
    }
}

fn pushed(timestamp: &str, value: &str) -> Value {
    json!({"Event": {
        "uuid": EVENT, "info": "Courier at Vell", "date": "2026-03-01", "timestamp": timestamp,
        "distribution": "1", "threat_level_id": "2", "analysis": "1", "published": true,
        "Orgc": {"uuid": "0b5c0de1-2222-4222-8222-0000000000aa", "name": "Belmark CERT"},
        "Tag": [{"name": "tlp:amber"}],
        "Attribute": [{"uuid": ATTRIBUTE, "type": "ip-dst", "category": "Network activity",
            "to_ids": true, "value": value, "timestamp": timestamp, "distribution": "5"}],
    }})
}

#[test]
fn a_client_signs_in_and_is_told_who_it_is() {
    let scene = Scene::new();
    for path in ["/servers/getVersion", "/servers/getVersion.json"] {
        let version = scene.get(&scene.xb, path).json();
        assert_eq!(
            (&version["perm_sync"], &version["perm_sighting"]),
            (&true.into(), &true.into())
        );
        assert!(version["version"].as_str().unwrap().starts_with("2.5."));
    }
    assert!(scene.get(&scene.xb, "/servers/getPyMISPVersion.json").json()["version"].is_string());
    let me = scene.get(&scene.xb, "/users/view/me.json").json();
    assert_eq!(me["Organisation"]["name"], "xb.police.ct");
    assert_eq!(
        (&me["Role"]["perm_sync"], &me["Role"]["perm_admin"]),
        (&true.into(), &false.into())
    );
    let other = scene.xa.get("/users/view/me", &[("x-misp-auth", &scene.xc)]).json();
    assert_eq!(other["Organisation"]["name"], "xc.police.ncb");
    let echo = scene.post(&scene.xb, "/servers/postTest", &json!({"testString": "ü"})).json();
    assert_eq!(echo["body"]["testString"], "ü");
    assert_eq!(echo["headers"]["Content-type"], "application/json");
    assert_eq!(scene.get(&scene.xb, "/servers/getAvailableSyncFilteringRules").status, 200);
    assert_eq!(scene.get(&scene.xb, "/shadow_attributes/index").body, "[]");
    // Nobody known reads the same whatever is asked.
    let refused = scene.get("wrong", "/users/view/me");
    assert_eq!(refused.status, 403);
    assert!(refused.json()["message"].as_str().unwrap().contains("token"));
    assert_eq!(scene.xa.get("/users/view/me", &[]), refused);
    assert_eq!(scene.get(&scene.xa.token(), "/users/view/me"), refused);
    let two = [("authorization", scene.xb.as_str()), ("x-misp-auth", scene.xb.as_str())];
    assert_eq!(scene.xa.get("/users/view/me", &two), refused);
}

#[test]
fn requests_in_the_wrong_form_are_refused_with_their_place() {
    let scene = Scene::new();
    let index = "/events/index";
    let form = [("authorization", scene.xb.as_str()), ("content-type", "text/csv")];
    assert_eq!(scene.xa.post(index, &form, "{}").status, 415);
    let auth = [("authorization", scene.xb.as_str()), JSON];
    for body in ["{", "[1]", "{\"a\":1,\"a\":2}", "\u{feff}{}"] {
        let said = scene.xa.post(index, &auth, body);
        assert_eq!(said.status, 400, "{body}: {}", said.body);
        assert!(said.json()["message"].as_str().unwrap().contains("body"), "{}", said.body);
    }
    let said = scene.post(&scene.xb, index, &json!({"colour": "red"}));
    assert_eq!(said.status, 400);
    assert!(said.json()["errors"].as_str().unwrap().contains("`colour`"), "{}", said.body);
    let said = scene.xa.post("/events/add", &auth, vec![b' '; 33 * 1024 * 1024]);
    assert_eq!(said.status, 413, "{}", said.body);
    let said = scene.get(&scene.xb, "/events/restSearch");
    assert_eq!((said.status, said.header("allow")), (405, Some("POST")));
    assert_eq!(scene.get(&scene.xb, "/events/index?limit=1").status, 400);
    assert_eq!(scene.post(&scene.xb, "/events/delete/1", &json!({})).status, 404);
}

#[test]
fn what_was_released_is_pulled_as_events_and_every_read_is_logged() {
    let scene = Scene::new();
    let short = scene.index(&scene.xb, &json!({"minimal": 1, "published": 1}));
    assert!(short.len() >= 2, "{short:?}");
    let full = scene.index(&scene.xb, &json!({}));
    assert_eq!(full.len(), short.len());
    let before = scene.reads();
    let mut texts = String::new();
    for row in &short {
        let uuid = row["uuid"].as_str().unwrap();
        assert_eq!(row["published"], true);
        let said =
            scene.get(&scene.xb, &format!("/events/view/{uuid}/deleted[]:0/excludeGalaxy:1"));
        assert_eq!(said.status, 200, "{}", said.body);
        let event = said.json()["Event"].clone();
        assert_eq!((&event["uuid"], &event["timestamp"]), (&row["uuid"], &row["timestamp"]));
        assert_eq!(event["distribution"], "0", "for the one organisation that takes it");
        assert_eq!(event["Orgc"]["name"], "xa.police.ct");
        texts.push_str(&said.body);
    }
    let number = u64::try_from(short.len()).unwrap();
    assert_eq!(scene.reads(), before + number, "one entry a read");
    // The same records as over TAXII, no more: what is in events is in the outbox.
    let bearer = format!("Bearer {}", scene.xb);
    let taxii = "/taxii2/api/collections/outbox/objects/?match[type]=report";
    let outbox = scene.xa.get(taxii, &[("authorization", &bearer)]).json();
    assert_eq!(outbox["objects"].as_array().unwrap().len(), short.len());
    let search = |body: &Value| {
        let said = scene.post(&scene.xb, "/events/restSearch", body);
        assert_eq!(said.status, 200, "{}", said.body);
        said.json()["response"].as_array().unwrap().clone()
    };
    assert_eq!(search(&json!({"returnFormat": "json"})).len(), short.len());
    let pages: Vec<Value> = (1..=short.len())
        .flat_map(|page| search(&json!({"limit": 1, "page": page, "metadata": 1})))
        .map(|one| one["Event"]["uuid"].clone())
        .collect();
    let all: Vec<Value> = short.iter().map(|row| row["uuid"].clone()).collect();
    assert_eq!(pages, all, "pages follow on each other");
    assert!(search(&json!({"limit": 1, "page": short.len() + 1})).is_empty());
    assert!(search(&json!({"org": "nobody"})).is_empty());
    let attributes = scene.post(&scene.xb, "/attributes/restSearch", &json!({"limit": 1})).json();
    let attribute = &attributes["response"]["Attribute"][0];
    assert!(attribute["value"].is_string() && attribute["event_uuid"].is_string(), "{attributes}");
}

#[test]
fn what_is_withheld_answers_as_what_is_not_there() {
    let scene = Scene::new();
    let released: Vec<String> = scene
        .index(&scene.xb, &json!({"minimal": 1}))
        .iter()
        .map(|row| row["uuid"].as_str().unwrap().to_owned())
        .collect();
    let file = std::fs::read(scenario("records/xa-reports.json")).unwrap();
    let bundle: Value = serde_json::from_slice(&file).unwrap();
    let held: Vec<String> = bundle["objects"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|object| object["id"].as_str()?.strip_prefix("report--").map(str::to_owned))
        .collect();
    let withheld = held.iter().find(|id| !released.contains(id)).expect("one is withheld");
    let unknown = "0b5c0de1-1111-4111-8111-00000000ffff";
    let paths = |id: &str| format!("/events/view/{id}");
    let absent = scene.get(&scene.xb, &paths(unknown));
    assert_eq!(absent.status, 404);
    assert_eq!(scene.get(&scene.xb, &paths(withheld)), absent, "withheld");
    assert_eq!(scene.get(&scene.xb, &paths("1")), absent, "no UUID");
    assert_eq!(scene.get(&scene.xc, &paths(&released[0])), absent, "not offered to another");
    assert!(scene.index(&scene.xc, &json!({})).is_empty());
    for route in ["/events/restSearch", "/attributes/restSearch", "/sightings/restSearch/event"] {
        let with = |id: &str| scene.post(&scene.xb, route, &json!({"eventid": [id]}));
        assert_eq!(with(withheld), with(unknown), "{route}");
    }
    let wanted = |id: &str| {
        let body = json!([{"Event": {"uuid": id, "timestamp": "1"}}]);
        scene.post(&scene.xb, "/events/filterEventIdsForPush", &body).json()
    };
    assert_eq!((wanted(withheld), wanted(unknown)), (json!([withheld]), json!([unknown])));
    assert_eq!(wanted(&released[0]), json!([]), "what it can read is not wanted again");
    let sightings =
        |id: &str| scene.post(&scene.xb, &format!("/sightings/bulkSaveSightings/{id}"), &json!([]));
    assert_eq!(sightings(withheld), sightings(unknown));
}

#[test]
fn events_and_sightings_are_pushed_into_the_partners_inbox() {
    let scene = Scene::new();
    let first = pushed("1772452800", "192.0.2.77");
    let wanted = json!([{"Event": {"uuid": EVENT, "timestamp": "1772452800"}}]);
    let filter = || scene.post(&scene.xb, "/events/filterEventIdsForPush", &wanted).json();
    assert_eq!(filter(), json!([EVENT]));
    let edit = format!("/events/edit/{EVENT}/metadata:1");
    assert_eq!(scene.post(&scene.xb, &edit, &first).status, 404, "nothing to edit yet");
    let said = scene.post(&scene.xb, "/events/add/metadata:1", &first);
    assert_eq!(said.status, 200, "{}", said.body);
    let event = said.json()["Event"].clone();
    assert_eq!((&event["uuid"], &event["info"]), (&EVENT.into(), &"Courier at Vell".into()));
    assert!(event.get("Attribute").is_none(), "{event}");
    assert!(said.json().get("errors").is_none(), "{}", said.body);
    assert_eq!(filter(), json!([]));
    let view = format!("/events/view/{EVENT}");
    let read = scene.get(&scene.xb, &view).json()["Event"].clone();
    assert_eq!(read["Attribute"][0]["value"], "192.0.2.77", "{read}");
    assert_eq!(
        (&read["Orgc"]["name"], &read["distribution"]),
        (&"Belmark CERT".into(), &"1".into())
    );
    assert_eq!(scene.get(&scene.xc, &view).status, 404, "nobody else reads it");
    assert_eq!(scene.post(&scene.xb, &edit, &first).status, 403, "not newer");
    let said = scene.post(&scene.xb, &edit, &pushed("1772452900", "192.0.2.78"));
    assert_eq!(said.status, 200, "{}", said.body);
    let found = scene.post(&scene.xb, "/attributes/restSearch", &json!({"value": "192.0.2.78"}));
    assert_eq!(found.json()["response"]["Attribute"][0]["uuid"], ATTRIBUTE);
    // Sightings of its attribute.
    let ask_for = format!("/sightings/filterSightingUuidsForPush/{EVENT}");
    let which = || scene.post(&scene.xb, &ask_for, &json!([SIGHTING])).json();
    assert_eq!(which(), json!([SIGHTING]));
    let seen = json!([
        {"uuid": SIGHTING, "attribute_uuid": ATTRIBUTE, "date_sighting": "1772453000", "type": "0"},
        {"uuid": "0b5c0de1-4444-4444-8444-0000000000ab", "attribute_uuid": EVENT,
         "date_sighting": "1772453000", "type": "0"},
    ]);
    let said = scene.post(&scene.xb, &format!("/sightings/bulkSaveSightings/{EVENT}"), &seen);
    assert_eq!(said.status, 200, "{}", said.body);
    assert_eq!(said.json()["message"], "1 sightings added.", "{}", said.body);
    assert_eq!(said.json()["failures"].as_array().unwrap().len(), 1, "{}", said.body);
    assert_eq!(which(), json!([]));
    let body = json!({"returnFormat": "json", "last": 0, "includeUuid": true, "uuid": [EVENT]});
    let found = scene.post(&scene.xb, "/sightings/restSearch/event", &body).json();
    assert_eq!(found["response"][0]["Sighting"]["attribute_uuid"], ATTRIBUTE, "{found}");
    assert_eq!(found["response"][0]["Sighting"]["event_uuid"], EVENT);
    // What is no event, or of a kind not kept, is not taken.
    for bad in [json!({"Event": {"info": "x"}}), json!({"x": 1}), json!([])] {
        let said = scene.post(&scene.xb, "/events/add", &bad);
        assert_eq!(said.status, 400, "{bad}: {}", said.body);
    }
    assert_eq!(scene.post(&scene.xb, "/galaxies/pushCluster", &json!([])).status, 403);
    assert_eq!(scene.post(&scene.xb, "/analyst_data/pushAnalystData", &json!({})).status, 403);
    assert_eq!(
        scene.post(&scene.xb, "/galaxy_clusters/restSearch", &json!({})).json()["response"],
        json!([])
    );
    let head =
        ask("HEAD", &format!("{}{view}", scene.xa.address), &[("authorization", &scene.xb)], None);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}
