//! The TAXII doors by the letter, over the fixture: every endpoint, filter, right and refusal.
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

use serde_json::{Value, json};
use stage::{Fixture, Folder, Said};

const MEDIA: &str = "application/taxii+json;version=2.1";
const OPEN: &str = "11111111-1111-4111-8111-111111111111";
const READ_ONLY: &str = "22222222-2222-4222-8222-222222222222";
const WRITE_ONLY: &str = "33333333-3333-4333-8333-333333333333";
const CLOSED: &str = "44444444-4444-4444-8444-444444444444";
const INDICATOR: &str = "indicator--0f5b0a6e-57f5-4a3e-9a3c-5a1d5a2b7c01";
const MALWARE: &str = "malware--0f5b0a6e-57f5-4a3e-9a3c-5a1d5a2b7c02";
const MARKING: &str = "marking-definition--0f5b0a6e-57f5-4a3e-9a3c-5a1d5a2b7c03";
const FILE: &str = "file--0f5b0a6e-57f5-5a3e-9a3c-5a1d5a2b7c04";

fn indicator(modified: &str) -> Value {
    json!({"type": "indicator", "spec_version": "2.1", "id": INDICATOR,
           "created": "2020-01-01T00:00:00.000Z", "modified": modified, "name": "a  name"})
}

fn entry(id: &str, added: &str, version: &str) -> Value {
    json!({"id": id, "date_added": added, "version": version,
           "media_type": "application/stix+json;version=2.1"})
}

fn collection(id: &str, rights: (bool, bool)) -> Value {
    json!({"id": id, "title": "t", "can_read": rights.0, "can_write": rights.1,
           "media_types": ["application/stix+json;version=2.1"], "objects": [], "manifest": []})
}

fn contents() -> Value {
    let mut open = collection(OPEN, (true, true));
    open["alias"] = json!("open-house");
    open["objects"] = json!([
        indicator("2020-03-01T00:00:00.000Z"),
        indicator("2020-01-01T00:00:00.000Z"),
        indicator("2020-02-01T00:00:00.000Z"),
        {"type": "malware", "id": MALWARE, "created": "2020-01-05T00:00:00.000Z",
         "modified": "2020-06-01T00:00:00.000Z", "name": "two zero"},
        {"type": "malware", "spec_version": "2.1", "id": MALWARE, "name": "two one",
         "created": "2020-01-05T00:00:00.000Z", "modified": "2020-01-05T00:00:00.000Z"},
        {"type": "marking-definition", "spec_version": "2.1", "id": MARKING,
         "created": "2020-01-03T00:00:00.000Z", "definition_type": "tlp",
         "definition": {"tlp": "green"}},
        {"type": "file", "spec_version": "2.1", "id": FILE, "name": "a.txt"},
    ]);
    open["manifest"] = json!([
        entry(INDICATOR, "2021-01-01T00:00:00.000000Z", "2020-01-01T00:00:00.000Z"),
        entry(INDICATOR, "2021-01-02T00:00:00.500000Z", "2020-02-01T00:00:00.000Z"),
        entry(MARKING, "2021-01-03T00:00:00.000000Z", "2020-01-03T00:00:00.000Z"),
        entry(INDICATOR, "2021-01-04T00:00:00.000000Z", "2020-03-01T00:00:00.000Z"),
        entry(MALWARE, "2021-01-05T00:00:00.000000Z", "2020-01-05T00:00:00.000Z"),
        {"id": MALWARE, "date_added": "2021-01-06T00:00:00.000000Z",
         "version": "2020-06-01T00:00:00.000Z", "media_type": "application/stix+json;version=2.0"},
        entry(FILE, "2021-01-07T00:00:00.000000Z", "2021-01-07T00:00:00.000000Z"),
    ]);
    let about = json!({"title": "r", "versions": [MEDIA], "max_content_length": 20_000});
    json!({
        "users": {"admin": "Password0"},
        "tokens": {"a-token": "admin"},
        "/discovery": {"title": "s", "default": "/one/", "api_roots": ["/one/", "/two/"]},
        "one": {
            "information": about,
            "status": [{"id": "given", "status": "pending", "total_count": 1, "success_count": 0,
                        "failure_count": 0, "pending_count": 1}],
            "collections": [
                collection(CLOSED, (false, false)),
                collection(READ_ONLY, (true, false)),
                open,
                collection(WRITE_ONLY, (false, true)),
            ],
        },
        "two": {"information": about, "status": [], "collections": []},
    })
}

fn started() -> (Folder, Fixture) {
    let folder = Folder::new();
    let fixture = Fixture::start(&folder, &contents(), &["--page-max", "4"]);
    (folder, fixture)
}

fn at(id: &str, rest: &str) -> String {
    format!("/one/collections/{id}/{rest}")
}

fn ids(said: &Said) -> Vec<(String, String)> {
    assert_eq!(said.status, 200, "{}", said.body);
    let objects = said.json()["objects"].as_array().cloned().unwrap_or_default();
    let version = |o: &Value| {
        ["version", "modified", "created"].iter().find_map(|k| o[*k].as_str().map(str::to_owned))
    };
    let kind = |o: &Value| o["id"].as_str().unwrap().split("--").next().unwrap().to_owned();
    let short = |v: String| v.get(..7).unwrap().to_owned();
    objects.iter().map(|o| (kind(o), version(o).map(short).unwrap_or_default())).collect()
}

#[test]
fn every_answer_has_its_form() {
    let (_folder, fixture) = started();
    for (path, status) in [
        ("/taxii2/".to_owned(), 200),
        ("/taxii2".to_owned(), 200),
        ("/one/".to_owned(), 200),
        ("/one".to_owned(), 200),
        ("/one/status/given/".to_owned(), 200),
        ("/one/collections/".to_owned(), 200),
        (at(OPEN, ""), 200),
        (at("open-house", "objects/"), 200),
        (at(OPEN, "manifest"), 200),
        (at(OPEN, &format!("objects/{INDICATOR}/")), 200),
        (at(OPEN, &format!("objects/{INDICATOR}/versions/")), 200),
        (at(CLOSED, ""), 200),
        ("/".to_owned(), 404),
        ("/three/".to_owned(), 404),
        ("/three/collections/".to_owned(), 404),
        ("/one/nothing/".to_owned(), 404),
        ("/one/status/none/".to_owned(), 404),
        (at("none", ""), 404),
        (at("none", "objects/"), 404),
        (at(OPEN, "objects/indicator--none/"), 404),
        (at(OPEN, "objects/indicator--none/versions/"), 404),
        (at(OPEN, &format!("manifest/{INDICATOR}/")), 404),
        (at(CLOSED, "objects/"), 403),
        (at(WRITE_ONLY, "manifest/"), 403),
        (at(WRITE_ONLY, &format!("objects/{INDICATOR}/versions/")), 403),
    ] {
        let said = fixture.get(&path, &[]);
        assert_eq!(said.status, status, "{path}: {}", said.body);
        assert_eq!(said.header("content-type"), Some(MEDIA), "{path}");
        if status != 200 {
            let error = said.json();
            assert_eq!(error["http_status"], status.to_string(), "{path}");
            for key in ["title", "description", "error_code"] {
                assert!(!error[key].as_str().unwrap().is_empty(), "{path}");
            }
        }
        let head = fixture.ask("HEAD", &path, &[], None);
        assert_eq!((head.status, head.body.as_str()), (status, ""), "{path}");
    }
    assert_eq!(fixture.get("/two/collections/", &[]).body, "{}");
    let listed = fixture.get("/one/collections/", &[]).json();
    let order: Vec<&str> = listed["collections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["id"].as_str().unwrap())
        .collect();
    assert_eq!(order, [OPEN, READ_ONLY, WRITE_ONLY, CLOSED]);
    assert_eq!(fixture.get(&at(READ_ONLY, "objects/"), &[]).body, "{}");
    let object = fixture.get(&at(OPEN, &format!("objects/{INDICATOR}/")), &[]);
    assert!(object.body.contains("\"name\":\"a  name\""), "{}", object.body);
}

#[test]
fn callers_and_media_types_are_settled_first() {
    let (_folder, fixture) = started();
    let ask = |headers: &[(&str, &str)]| fixture.bare("GET", "/three/", headers, None);
    for headers in [
        &[][..],
        &[("authorization", "Basic YWRtaW46d3Jvbmc=")],
        &[("authorization", "Basic bm9ib2R5OlBhc3N3b3JkMA==")],
        &[("authorization", "Bearer wrong")],
        &[("authorization", "Basic ###")],
    ] {
        let said = ask(headers);
        assert_eq!(said.status, 401, "{headers:?}");
        assert!(said.header("www-authenticate").unwrap().contains("Basic"));
        assert_eq!(said.json()["http_status"], "401");
    }
    assert_eq!(ask(&[("authorization", "Bearer a-token")]).status, 404);
    for (accept, status) in [
        (MEDIA, 200),
        ("application/taxii+json", 200),
        ("application/taxii+json; version=2.1", 200),
        ("application/taxii+json;version=2.1,application/stix+json;version=2.1", 200),
        ("text/html, application/taxii+json;version=2.1;q=0.4", 200),
        ("*/*", 200),
        ("application/taxii+json;version=2.0", 406),
        ("application/xml", 406),
    ] {
        assert_eq!(fixture.get("/taxii2/", &[("accept", accept)]).status, status, "{accept}");
    }
    let post = |media: &str| {
        let headers = [("content-type", media)];
        fixture.ask("POST", &at(OPEN, "objects/"), &headers, Some(b"{\"objects\":[]}".to_vec()))
    };
    assert_eq!(post(MEDIA).status, 202);
    assert_eq!(post("application/taxii+json").status, 202);
    assert_eq!(post("application/json").status, 415);
    let packed = [("content-type", MEDIA), ("content-encoding", "gzip")];
    let said = fixture.ask("POST", &at(OPEN, "objects/"), &packed, Some(vec![0; 20]));
    assert_eq!(said.status, 415);
}

#[test]
fn methods_are_refused_with_what_is_allowed() {
    let (_folder, fixture) = started();
    for (method, path, allow) in [
        ("POST", "/taxii2/".to_owned(), "GET, HEAD, OPTIONS"),
        ("DELETE", at(OPEN, "objects/"), "GET, HEAD, OPTIONS, POST"),
        ("PUT", at(OPEN, &format!("objects/{INDICATOR}/")), "GET, HEAD, OPTIONS, DELETE"),
        ("PATCH", at(OPEN, "manifest/"), "GET, HEAD, OPTIONS"),
    ] {
        let said = fixture.ask(method, &path, &[], None);
        assert_eq!((said.status, said.header("allow")), (405, Some(allow)), "{method} {path}");
        assert_eq!(said.json()["http_status"], "405");
        let said = fixture.ask("OPTIONS", &path, &[], None);
        assert_eq!((said.status, said.header("allow")), (204, Some(allow)), "{path}");
    }
}

#[test]
fn filters_choose_and_the_rest_of_the_query_counts_first() {
    let (_folder, fixture) = started();
    let i = |version: &str| ("indicator".to_owned(), version.to_owned());
    let m = |version: &str| ("malware".to_owned(), version.to_owned());
    let mark = ("marking-definition".to_owned(), "2020-01".to_owned());
    let file = ("file".to_owned(), String::new());
    let latest = vec![mark.clone(), i("2020-03"), m("2020-01"), file.clone()];
    for (query, wanted) in [
        ("", latest.clone()),
        ("match[version]=last", latest.clone()),
        ("match[version]=first", vec![i("2020-01"), mark.clone(), m("2020-01"), file.clone()]),
        (
            "match[type]=indicator&match[version]=all",
            vec![i("2020-01"), i("2020-02"), i("2020-03")],
        ),
        ("match[type]=indicator&match[version]=last,first", vec![i("2020-01"), i("2020-03")]),
        ("match[version]=2020-02-01T00:00:00.000Z", vec![i("2020-02")]),
        (
            "match[version]=2020-02-01T00:00:00Z,last&match[type]=indicator",
            vec![i("2020-02"), i("2020-03")],
        ),
        ("match[spec_version]=2.0", vec![m("2020-06")]),
        ("match[spec_version]=2.0,2.1&match[type]=malware", vec![m("2020-06")]),
        ("match[spec_version]=2.1&match[type]=malware", vec![m("2020-01")]),
        ("match[spec_version]=3.0", vec![]),
        ("added_after=2021-01-04T00:00:00.000000Z", vec![m("2020-01"), file.clone()]),
        ("added_after=2021-01-03T23:59:59Z", latest[1..].to_vec()),
        ("added_after=2021-01-04T00:00:00%2B00:00", vec![m("2020-01"), file.clone()]),
        (
            "match[version]=first&added_after=2021-01-02T00:00:00Z&match[type]=indicator",
            vec![i("2020-02")],
        ),
        (&format!("match[id]={MARKING},{MALWARE}"), vec![mark.clone(), m("2020-01")]),
        (&format!("match[id]={MARKING},{MALWARE}&match[type]=malware"), vec![m("2020-01")]),
        ("match[type]=malware,marking-definition", vec![mark.clone(), m("2020-01")]),
        ("match[type]=campaign", vec![]),
        ("match[x_custom]=1&x_other=2", latest.clone()),
    ] {
        let said = fixture.get(&at(OPEN, &format!("objects/?{query}")), &[]);
        assert_eq!(ids(&said), wanted, "{query}");
        let manifest = fixture.get(&at(OPEN, &format!("manifest/?{query}")), &[]);
        let short = |all: Vec<(String, String)>| -> Vec<String> {
            all.into_iter().map(|(kind, _)| kind).collect()
        };
        assert_eq!(short(ids(&manifest)), short(wanted), "{query}");
        for name in ["x-taxii-date-added-first", "x-taxii-date-added-last"] {
            assert_eq!(said.header(name), manifest.header(name), "{query}");
        }
    }
    let versions = |rest: &str| {
        let said = fixture.get(&at(OPEN, &format!("objects/{rest}")), &[]);
        assert_eq!(said.status, 200, "{rest}");
        said.json()["versions"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(versions(&format!("{INDICATOR}/versions/")), 3);
    assert_eq!(versions(&format!("{MALWARE}/versions/")), 1);
    assert_eq!(versions(&format!("{MALWARE}/versions/?match[spec_version]=2.0,2.1")), 2);
    assert_eq!(versions(&format!("{MALWARE}/versions/?added_after=2030-01-01T00:00:00Z")), 0);
}

#[test]
fn pages_follow_each_other_everywhere_and_a_place_is_good_for_its_query_only() {
    let (_folder, fixture) = started();
    for rest in [
        "objects/?match[version]=all&match[spec_version]=2.0,2.1".to_owned(),
        "manifest/?match[version]=all&match[spec_version]=2.0,2.1".to_owned(),
        format!("objects/{INDICATOR}/?match[version]=all"),
        format!("objects/{INDICATOR}/versions/?match[spec_version]=2.1"),
    ] {
        let key = if rest.contains("versions/?") { "versions" } else { "objects" };
        let (mut seen, mut place, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let said = fixture.get(&at(OPEN, &format!("{rest}&limit=2{place}")), &[]);
            let page = said.json();
            seen.extend(page[key].as_array().unwrap().iter().map(Value::to_string));
            pages += 1;
            match page["next"].as_str() {
                Some(next) => {
                    assert_eq!(page["more"], true);
                    place = format!("&next={next}");
                }
                None => break assert_eq!(page["more"], false),
            }
        }
        let wanted: usize = if rest.contains(INDICATOR) { 3 } else { 7 };
        seen.dedup();
        assert_eq!((seen.len(), pages), (wanted, wanted.div_ceil(2)), "{rest}");
        let wrong = fixture.get(
            &at(OPEN, &format!("{}?match[version]=first{place}", rest.split('?').next().unwrap())),
            &[],
        );
        assert_eq!(wrong.status, 400, "{rest}: {}", wrong.body);
        assert_eq!(wrong.json()["title"], "ProcessingError");
    }
    // The server's own bound holds too, and the last date of a page leads to the next one.
    let first = fixture.get(&at(OPEN, "objects/?match[version]=all&limit=1000"), &[]);
    assert_eq!(ids(&first).len(), 4);
    let last = first.header("x-taxii-date-added-last").unwrap();
    let rest =
        fixture.get(&at(OPEN, &format!("objects/?match[version]=all&added_after={last}")), &[]);
    assert_eq!(ids(&rest).len(), 2);
}

#[test]
fn malformed_queries_are_refused_with_their_place() {
    let (_folder, fixture) = started();
    for query in [
        "limit=0",
        "limit=-20",
        "limit=abc",
        "limit=1&limit=2",
        "added_after=garbage",
        "added_after=2021-01-01",
        "added_after=2021-01-01T00:00:00Z&added_after=2021-01-01T00:00:00Z",
        "match[type]=a&match[type]=b",
        "match[version]=all,last",
        "match[version]=last,last",
        "match[version]=nonsense",
        "match[id]=",
        "next=garbage",
        "x=%zz%",
    ] {
        for resource in ["objects/", "manifest/", &format!("objects/{INDICATOR}/")] {
            let said = fixture.get(&at(OPEN, &format!("{resource}?{query}")), &[]);
            let status = if query.starts_with("x=") { said.status } else { 400 };
            assert_eq!(said.status, status, "{resource}{query}: {}", said.body);
            if status == 400 {
                let name = query.split(['=', '?']).next().unwrap();
                let told = said.json()["description"].as_str().unwrap().to_owned();
                assert!(told.contains(name) && told.contains(';'), "{query}: {told}");
            }
        }
    }
}

fn post(fixture: &Fixture, path: &str, body: impl Into<Vec<u8>>) -> Said {
    fixture.ask("POST", path, &[("content-type", MEDIA)], Some(body.into()))
}

#[test]
fn what_is_posted_is_served_as_it_was_and_its_status_is_kept() {
    let (_folder, fixture) = started();
    let sent =
        format!("{{ \"type\":\"file\", \"id\":\"{FILE}\",\"size\": 1.0e2, \"x_y\":\"\\u00e9\"}}");
    let new = FILE.replace("7c04", "7c99");
    let sent = sent.replace(FILE, &new);
    let bad = "{\"type\":\"malware\",\"id\":\"malware--zzz\"}";
    let said = post(&fixture, &at(OPEN, "objects/"), format!("{{\"objects\":[{sent},{bad}]}}"));
    assert_eq!(said.status, 202, "{}", said.body);
    let status = said.json();
    let counts = ["total_count", "success_count", "failure_count", "pending_count"];
    assert_eq!(counts.map(|c| status[c].as_u64().unwrap()), [2, 1, 1, 0]);
    assert_eq!(status["status"], "complete");
    assert_eq!(status["request_timestamp"].as_str().unwrap().len(), 27);
    assert_eq!(status["failures"][0]["id"], "malware--zzz");
    let path = format!("/one/status/{}/", status["id"].as_str().unwrap());
    assert_eq!(fixture.get(&path, &[]).json(), status);
    let served = fixture.get(&at(OPEN, &format!("objects/{new}/")), &[]);
    assert!(served.body.contains(&sent), "{}", served.body);
    // An exact duplicate is no error and changes nothing.
    let again = post(&fixture, &at(OPEN, "objects/"), format!("{{\"objects\":[{sent}]}}")).json();
    assert_eq!((&again["success_count"], &again["failure_count"]), (&json!(1), &json!(0)));
    let versions = fixture.get(&at(OPEN, &format!("objects/{new}/versions/")), &[]).json();
    assert_eq!(versions["versions"].as_array().unwrap().len(), 1);
    let added = served.header("x-taxii-date-added-last").unwrap();
    let after = fixture.get(&at(OPEN, &format!("objects/?added_after={added}")), &[]);
    assert_eq!(after.body, "{}");
}

#[test]
fn bodies_that_cannot_be_taken_are_refused() {
    let (_folder, fixture) = started();
    let object = indicator("2022-01-01T00:00:00.000Z").to_string();
    for (body, status) in [
        ("", 400),
        ("{\"objects\":[", 400),
        ("nonsense", 400),
        ("{}", 422),
        ("[]", 422),
        ("{\"objects\":{}}", 422),
        ("{\"objects\":[1]}", 422),
        ("{\"objects\":[{\"type\":\"indicator\"}]}", 422),
        ("{\"type\":\"report\",\"id\":\"b\",\"objects\":[]}", 422),
        (&object, 422),
    ] {
        let said = post(&fixture, &at(OPEN, "objects/"), body);
        assert_eq!(said.status, status, "{body}: {}", said.body);
        assert_eq!(said.json()["title"], "ProcessingError");
    }
    let large = post(&fixture, &at(OPEN, "objects/"), vec![b' '; 20_001]);
    assert_eq!(large.status, 413);
    let envelope = format!("{{\"objects\":[{object}]}}");
    let fill = " ".repeat(20_000 - envelope.len());
    assert_eq!(post(&fixture, &at(OPEN, "objects/"), envelope.clone() + &fill).status, 202);
    assert_eq!(post(&fixture, &at(READ_ONLY, "objects/"), envelope.clone()).status, 403);
    assert_eq!(post(&fixture, &at(CLOSED, "objects/"), envelope.clone()).status, 403);
    assert_eq!(post(&fixture, &at("none", "objects/"), envelope.clone()).status, 404);
    assert_eq!(post(&fixture, &at(WRITE_ONLY, "objects/"), envelope).status, 202);
}

#[test]
fn what_is_deleted_is_gone_and_nothing_older_comes_back() {
    let (_folder, fixture) = started();
    let one = at(OPEN, &format!("objects/{INDICATOR}/"));
    let delete = |path: &str| fixture.ask("DELETE", path, &[], None);
    assert_eq!(delete(&one.replace(OPEN, CLOSED)).status, 404);
    assert_eq!(delete(&one.replace(OPEN, READ_ONLY)).status, 403);
    assert_eq!(delete(&one.replace(OPEN, WRITE_ONLY)).status, 403);
    assert_eq!(delete(&one.replace("indicator", "campaign")).status, 404);
    assert_eq!(delete(&format!("{one}?match[version]=garbage")).status, 400);
    let second = format!("{one}?match[version]=2020-02-01T00:00:00.000Z");
    let said = delete(&second);
    assert_eq!((said.status, said.header("content-type")), (200, Some(MEDIA)));
    assert_eq!(fixture.get(&second, &[]).status, 404);
    assert_eq!(delete(&second).status, 404);
    assert_eq!(fixture.get(&one, &[]).status, 200);
    let other = fixture.get(&format!("{one}?match[version]=2019-01-01T00:00:00Z"), &[]);
    assert_eq!((other.status, other.body.as_str()), (200, "{}"));
    assert_eq!(delete(&one).status, 200);
    assert_eq!(fixture.get(&one, &[]).status, 404);
    assert_eq!(fixture.get(&format!("{one}versions/"), &[]).status, 404);
    let manifest = fixture.get(&at(OPEN, "manifest/?match[version]=all"), &[]);
    assert!(!manifest.body.contains(INDICATOR));
    let malware = at(OPEN, &format!("objects/{MALWARE}/"));
    assert_eq!(delete(&format!("{malware}?match[spec_version]=2.0")).status, 200);
    let left = fixture.get(&format!("{malware}versions/?match[spec_version]=2.0,2.1"), &[]).json();
    assert_eq!(left["versions"].as_array().unwrap().len(), 1);
}

#[test]
fn older_and_newer_forms_of_the_file_are_read_and_faults_are_placed() {
    let folder = Folder::new();
    let mut older = contents();
    let open = &mut older["one"]["collections"][2];
    open["manifest"] = json!([
        {"id": INDICATOR, "date_added": "2021-01-01T00:00:00Z", "versions": [
            "2020-01-01T00:00:00.000Z", "2020-02-01T00:00:00.000Z", "2020-03-01T00:00:00.000Z"],
         "media_types": ["application/vnd.oasis.stix+json; version=2.0"]},
    ]);
    open["objects"][6]["__meta"] = json!({"date_added": "2022-01-01T00:00:00.000000Z",
        "media_type": "application/stix+json;version=2.1", "version": "2022-01-01T00:00:00.000000Z"});
    let fixture = Fixture::start(&folder, &older, &["--page-max", "100"]);
    let all = fixture.get(&at(OPEN, "objects/?match[version]=all"), &[]);
    assert_eq!(ids(&all).len(), 6);
    assert!(!all.body.contains("__meta"));
    assert_eq!(all.header("x-taxii-date-added-last"), Some("2022-01-01T00:00:00.000000Z"));
    let mut wrong = contents();
    wrong["one"]["collections"][2]["objects"][1]["id"] = json!(5);
    let complaint = Fixture::refused(&folder, &wrong);
    assert!(complaint.contains("/one/collections/2/objects/1") && complaint.contains("help"));
    let mut twice = contents();
    twice["one"]["collections"][0]["alias"] = json!("open-house");
    assert!(Fixture::refused(&folder, &twice).contains("`open-house`"));
}
