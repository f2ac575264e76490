//! Feeds at the command line and in a serving node, against the fixture and servers that misbehave.
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
use stage::{COALITION, Fixture, Folder, Site, eventually};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

const OPEN: &str = "11111111-1111-4111-8111-111111111111";
const OTHER: &str = "22222222-2222-4222-8222-222222222222";
const MEDIA: &str = "application/taxii+json;version=2.1";

fn identity(n: u32) -> Value {
    json!({"type": "identity", "spec_version": "2.1", "name": format!("n {n}"),
           "id": format!("identity--0f5b0a6e-57f5-4a3e-9a3c-{n:012x}"), "identity_class": "group",
           "created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.000Z"})
}

fn manifest(n: u32) -> Value {
    json!({"id": format!("identity--0f5b0a6e-57f5-4a3e-9a3c-{n:012x}"),
           "date_added": format!("2021-01-01T00:{:02}:{:02}.000000Z", n / 60, n % 60),
           "version": "2020-01-01T00:00:00.000Z",
           "media_type": "application/stix+json;version=2.1"})
}

fn collection(id: &str, count: u32) -> Value {
    let all = 0..count;
    json!({"id": id, "title": format!("title {id}"), "can_read": true, "can_write": true,
           "media_types": ["application/stix+json;version=2.1"],
           "objects": all.clone().map(identity).collect::<Vec<_>>(),
           "manifest": all.map(manifest).collect::<Vec<_>>()})
}

fn contents(collections: &[Value]) -> Value {
    json!({
        "users": {"admin": "Password0"}, "tokens": {"a-token": "admin"},
        "/discovery": {"title": "s", "default": "/one/",
                       "api_roots": ["/one/", "https://elsewhere.example/two/"]},
        "one": {"information": {"title": "r", "versions": [MEDIA], "max_content_length": 9_000_000},
                "status": [], "collections": collections},
    })
}

/// A node, the fixture with this many objects, and the file that holds its password.
fn staged(count: u32) -> (Folder, Site, Fixture, String) {
    let folder = Folder::new();
    let fixture =
        Fixture::start(&folder, &contents(&[collection(OPEN, count)]), &["--page-max", "10"]);
    let site = Site::new(&folder, "xa.police.ct", "XA", None);
    let vocabulary = stage::scenario("vocabulary.json");
    site.run(&["vocabulary", vocabulary.to_str().unwrap()]);
    let password = folder.0.join("password");
    std::fs::write(&password, "Password0\n").unwrap();
    let password = password.to_str().unwrap().to_owned();
    (folder, site, fixture, password)
}

fn add(site: &Site, url: &str, password: &str) -> Value {
    site.run(&[
        "feed",
        "add",
        "lab",
        url,
        "--plain-http",
        "--user",
        "admin",
        "--password-file",
        password,
        "--grade",
        "B2",
        "--every",
        "10",
    ])
}

/// What a command that must fail says: code, message, help.
fn failed(site: &Site, arguments: &[&str]) -> (i32, String, String) {
    let mut all = vec!["--json"];
    all.extend(arguments);
    let done = site.command(&all);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success(), "{arguments:?} should fail");
    let value: Value = serde_json::from_str(said.trim()).unwrap();
    let text = |key: &str| value["error"][key].as_str().unwrap().to_owned();
    (done.status.code().unwrap(), text("code"), format!("{} | {}", text("message"), text("help")))
}

#[test]
fn a_collection_is_drained_once_and_what_is_added_comes_at_the_next_poll() {
    let (folder, site, fixture, password) = staged(37);
    let added = add(&site, &format!("{}/taxii2/", fixture.address()), &password);
    assert_eq!(added["originator"], "outside.lab");
    let secret = site.dir.join("keys/feed.lab.toml");
    assert_eq!(std::fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);

    let dry = site.run(&["feed", "poll", "lab", "--dry-run"]);
    assert_eq!((&dry["polls"][0]["objects"], &dry["polls"][0]["more"]), (&json!(10), &json!(true)));
    assert_eq!(site.run(&["list"])["total"], 0, "a dry run stores nothing");

    let first = site.run(&["feed", "poll", "lab"]);
    assert_eq!(first["polls"][0]["stored"], 37, "{first}");
    assert_eq!(first["polls"][0]["unchanged"], 0, "nothing is read twice: {first}");
    let again = site.run(&["feed", "poll"]);
    assert_eq!(again["polls"][0]["stored"], 0, "{again}");
    assert_eq!(again["polls"][0]["unchanged"], 1, "only the last instant again: {again}");

    let more = json!({"objects": (100..103).map(identity).collect::<Vec<_>>()});
    let headers = [("content-type", MEDIA), ("accept", MEDIA)];
    let path = format!("/one/collections/{OPEN}/objects/");
    let said = fixture.ask("POST", &path, &headers, Some(more.to_string().into_bytes()));
    assert_eq!(said.status, 202, "{}", said.body);
    assert_eq!(site.run(&["feed", "poll", "lab"])["polls"][0]["stored"], 3);

    let feed = &site.run(&["feed", "show", "lab"])["feed"];
    assert_eq!(feed["progress"]["stored"], 40, "{feed}");
    assert_eq!(feed["progress"]["tolerated"], json!({}), "an honest server needs no tolerance");
    assert_eq!(feed["progress"]["cursor"]["phase"], "rest");
    let shown = site.run(&["show", identity(5)["id"].as_str().unwrap()]);
    assert_eq!(shown["custody"]["originator"], "outside.lab");
    assert_eq!(shown["custody"]["source"]["grade"], "B2");
    assert_eq!(shown["custody"]["floor"], "amber");
    let kinds = site.run(&["log", "verify"])["audit"]["kinds"].clone();
    assert_eq!((&kinds["feed"], &kinds["pull"]), (&json!(1), &json!(5)), "a page, an entry");

    site.run(&["feed", "pause", "lab"]);
    assert_eq!(failed(&site, &["feed", "poll", "lab"]).1, "feed_paused");
    site.run(&["feed", "pause", "lab", "--resume"]);
    site.run(&["feed", "remove", "lab"]);
    assert!(!secret.exists(), "the credential goes with the feed");
    assert_eq!(site.run(&["list"])["total"], 40, "what it brought stays");
    assert_eq!(failed(&site, &["feed", "show", "lab"]).1, "feed_unknown");
    drop(folder);
}

#[test]
fn what_cannot_be_set_up_is_refused_with_its_cure() {
    let (_folder, site, fixture, password) = staged(1);
    let server = format!("{}/taxii2/", fixture.address());
    let with = |name: &'static str, url: &str, rest: &[&str]| {
        let mut words = vec!["feed", "add", name, url];
        words.extend(rest);
        failed(&site, &words)
    };
    let plain = ["--plain-http", "--user", "admin", "--password-file", password.as_str()];
    let (code, word, text) = with("lab", &server, &[]);
    assert_eq!((code, word.as_str()), (2, "bad_address"), "{text}");
    assert!(text.contains("--plain-http"));
    let inside = server.replace("http://", "http://admin:Password0@");
    let (_, word, text) = with("lab", &inside, &["--plain-http"]);
    assert_eq!(word, "credential_in_address");
    assert!(!text.contains("Password0"), "a password is never repeated");
    let (_, word, text) = with("lab", &server, &["--plain-http"]);
    assert_eq!(word, "feed_unreached");
    assert!(text.contains("401") && text.contains("user and password"), "{text}");
    let mut unknown = plain.to_vec();
    unknown.extend(["--collection", "nowhere"]);
    let (_, word, text) = with("lab", &server, &unknown);
    assert_eq!(word, "collection_unclear");
    assert!(text.contains(OPEN) && text.contains("elsewhere.example"), "{text}");
    let mut member = plain.to_vec();
    member.extend(["--originator", "xb.police.ct"]);
    assert_eq!(with("lab", &server, &member).1, "feed_source");
    let mut fast = plain.to_vec();
    fast.extend(["--every", "1"]);
    assert_eq!(with("lab", &server, &fast).1, "feed_interval");
    assert_eq!(with("../lab", &server, &plain).1, "bad_argument");
    assert_eq!(site.run(&["feed", "list"])["feeds"], json!([]));

    add(&site, &server, &password);
    let other = format!("{}/one/collections/{OPEN}/", fixture.address());
    let mut foreign = plain.to_vec();
    foreign.extend(["--originator", "outside.another"]);
    assert_eq!(with("lab", &other, &foreign).1, "feed_exists");
    let wrong = site.dir.join("wrong");
    std::fs::write(&wrong, "nonsense").unwrap();
    std::fs::write(site.dir.join("keys/feed.lab.toml"), "user = 'admin'\npassword = 'no'").unwrap();
    let (code, word, text) = failed(&site, &["feed", "poll", "lab"]);
    assert_eq!((code, word.as_str()), (4, "feed_trouble"), "{text}");
    assert!(text.contains("401"), "{text}");
    let feed = &site.run(&["feed", "show", "lab"])["feed"];
    assert_eq!(feed["progress"]["failures"], 1);
    assert!(feed["progress"]["trouble"].as_str().unwrap().contains("401"));
}

#[test]
fn a_serving_node_reads_by_itself_and_at_once_when_asked() {
    let (_folder, mut site, fixture, password) = staged(95);
    add(&site, &format!("{}/one/", fixture.address()), &password);
    site.serve();
    let stored = |site: &Site| site.run(&["feed", "show", "lab"])["feed"]["progress"].clone();
    eventually("the serving node reads its feed", || stored(&site)["ended_at"].is_string());
    assert_eq!(stored(&site)["stored"], 95);
    let more = json!({"objects": [identity(200)]});
    let headers = [("content-type", MEDIA), ("accept", MEDIA)];
    let path = format!("/one/collections/{OPEN}/objects/");
    fixture.ask("POST", &path, &headers, Some(more.to_string().into_bytes()));
    assert_eq!(site.run(&["feed", "poll", "lab"])["due"], true, "asked at the door");
    eventually("it reads again when asked", || stored(&site)["stored"] == 96);
    assert!(site.stop().success());
}

/// A server that answers from a list, and keeps what it was asked; the last answer is repeated.
struct Liar {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

fn said(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

fn page(headers: &str, body: &Value) -> Vec<u8> {
    said("200 OK", &format!("content-type: {MEDIA}\r\n{headers}"), &body.to_string())
}

impl Liar {
    fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address =
            format!("http://{}/root/collections/{OTHER}/", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut answers = answers.into_iter().peekable();
            let about = json!({"id": OTHER, "title": "liar", "can_read": true});
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut buffer = [0_u8; 8_192];
                let length = stream.read(&mut buffer).unwrap();
                let head = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let line = head.lines().next().unwrap_or("").to_owned();
                let answer = if line.contains("/objects/") {
                    kept.lock().unwrap().push(head);
                    let answer = answers.next().unwrap();
                    if answers.peek().is_none() {
                        answers = vec![answer.clone()].into_iter().peekable();
                    }
                    answer
                } else {
                    page("", &about)
                };
                if answer.is_empty() {
                    // WHY: a server that says nothing; the connection ends with its reader.
                    let _gone = stream.read(&mut buffer);
                    continue;
                }
                let _gone = stream.write_all(&answer);
            }
        });
        Self { address, asked }
    }

    fn lines(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|head| head.lines().next().unwrap().to_owned()).collect()
    }
}

fn liar(answers: Vec<Vec<u8>>) -> (Folder, Site, Liar) {
    let folder = Folder::new();
    let site = Site::new(&folder, "xa.police.ct", "XA", None);
    let vocabulary = stage::scenario("vocabulary.json");
    site.run(&["vocabulary", vocabulary.to_str().unwrap()]);
    let liar = Liar::start(answers);
    site.run(&["feed", "add", "liar", &liar.address, "--plain-http"]);
    (folder, site, liar)
}

#[test]
fn faults_of_servers_are_worked_around_counted_and_shown() {
    let date = |at: &str| format!("x-taxii-date-added-last: 2021-01-01T00:00:{at}\r\n");
    let bare = "content-type: application/taxii+json\r\n";
    let one = json!({"more": true, "objects": [identity(1), {"type": "identity", "id": "x"}, 7]});
    let two = json!({"objects": [identity(2)]});
    let three = json!({"more": false, "objects": [identity(3)]});
    let (_folder, site, liar) = liar(vec![
        said("406 Not Acceptable", "", ""),
        said("200 OK", &format!("{bare}{}", date("01Z")), &one.to_string()),
        page(&date("03+00:00"), &two),
        page(&date("05Z"), &three),
        page("", &json!({})),
    ]);
    let polled = site.run(&["feed", "poll", "liar"]);
    assert_eq!(polled["polls"][0]["stored"], 3, "{polled}");
    assert_eq!(polled["polls"][0]["unfit"], 2, "{polled}");
    let problems = polled["polls"][0]["problems"].to_string();
    assert!(problems.contains("/objects/1") && problems.contains("/objects/2"), "{problems}");
    let feed = &site.run(&["feed", "show", "liar"])["feed"]["progress"];
    let mut tolerated: Vec<&str> =
        feed["tolerated"].as_object().unwrap().keys().map(String::as_str).collect();
    tolerated.sort_unstable();
    let expected = [
        "accept_refused",
        "ended_early",
        "media_type_unversioned",
        "next_missing",
        "offset_instant",
    ];
    assert_eq!(tolerated, expected, "{feed}");
    assert_eq!(feed["last_unfit"].as_array().unwrap().len(), 2);
    let lines = liar.lines();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert!(
        lines[2].contains("added_after=2021-01-01T00%3A00%3A00.999999Z")
            || lines[2].contains("added_after=2021-01-01T00:00:00.999999Z"),
        "{}",
        lines[2]
    );
    assert!(!lines.iter().any(|line| line.contains("next=")));
}

#[test]
fn a_poll_that_broke_off_goes_on_at_the_page_it_wanted() {
    let one = json!({"more": true, "next": "m 2&x", "objects": [identity(1)]});
    let two = json!({"more": false, "objects": [identity(2)]});
    let date = "x-taxii-date-added-last: 2021-01-01T00:00:01Z\r\n";
    let (_folder, site, liar) = liar(vec![
        page(date, &one),
        said("503 Service Unavailable", "retry-after: 90\r\n", ""),
        page(date, &two),
        page("", &json!({"objects": []})),
    ]);
    let (code, word, text) = failed(&site, &["feed", "poll", "liar"]);
    assert_eq!((code, word.as_str()), (4, "feed_trouble"));
    assert!(text.contains("503") && text.contains("1 object stored before that"), "{text}");
    let progress = site.run(&["feed", "show", "liar"])["feed"]["progress"].clone();
    assert_eq!((&progress["stored"], &progress["cursor"]["next"]), (&json!(1), &json!("m 2&x")));
    assert!(progress["due_at"].is_string(), "it waits as the server asked");
    let done = site.run(&["feed", "poll", "liar"]);
    assert_eq!(done["polls"][0]["stored"], 1, "{done}");
    let lines = liar.lines();
    assert!(lines[2].contains("next=m%202%26x") || lines[2].contains("next=m+2%26x"), "{lines:?}");
    let progress = site.run(&["feed", "show", "liar"])["feed"]["progress"].clone();
    assert_eq!((&progress["trouble"], &progress["failures"]), (&Value::Null, &json!(0)));
}

#[test]
fn a_reader_killed_in_the_middle_loses_nothing_and_takes_nothing_twice() {
    let part = |n: u32| json!({"more": n < 3, "next": n.to_string(), "objects": [identity(n)]});
    let date = |n: u32| format!("x-taxii-date-added-last: 2021-01-01T00:00:0{n}Z\r\n");
    let (_folder, site, liar) = liar(vec![
        page(&date(1), &part(1)),
        page(&date(2), &part(2)),
        Vec::new(),
        page(&date(3), &part(3)),
        page("", &json!({})),
    ]);
    let mut reader = std::process::Command::new(env!("CARGO_BIN_EXE_entente"))
        .arg("--node")
        .arg(&site.dir)
        .args(["feed", "poll", "liar"])
        .spawn()
        .unwrap();
    eventually("the reader waits for the third page", || liar.lines().len() == 3);
    reader.kill().unwrap();
    reader.wait().unwrap();
    let progress = site.run(&["feed", "show", "liar"])["feed"]["progress"].clone();
    assert_eq!((&progress["stored"], &progress["cursor"]["next"]), (&json!(2), &json!("2")));
    let done = site.run(&["feed", "poll", "liar"]);
    assert_eq!(
        (&done["polls"][0]["stored"], &done["polls"][0]["unchanged"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(site.run(&["list"])["total"], 3);
    assert!(liar.lines()[3].contains("next=2"), "{:?}", liar.lines());
}

#[test]
fn a_kept_mark_that_is_refused_is_dropped_and_nothing_is_lost() {
    let one = json!({"more": true, "next": "gone", "objects": [identity(1)]});
    let two = json!({"more": false, "objects": [identity(1), identity(2)]});
    let date = "x-taxii-date-added-last: 2021-01-01T00:00:01Z\r\n";
    let (_folder, site, liar) = liar(vec![
        page(date, &one),
        said("500 Internal Server Error", "", ""),
        said("404 Not Found", "", ""),
        page(date, &two),
        page("", &json!({})),
    ]);
    failed(&site, &["feed", "poll", "liar"]);
    let done = site.run(&["feed", "poll", "liar"]);
    assert_eq!(
        (&done["polls"][0]["stored"], &done["polls"][0]["unchanged"]),
        (&json!(1), &json!(1))
    );
    let progress = site.run(&["feed", "show", "liar"])["feed"]["progress"].clone();
    assert_eq!(progress["tolerated"]["next_expired"], 1, "{progress}");
    assert!(!liar.lines()[3].contains("next="));
}

#[test]
fn what_is_no_taxii_leads_elsewhere_or_is_compressed_is_refused() {
    let html = said("200 OK", "content-type: text/html\r\n", "<html>");
    let away = said("302 Found", "location: http://169.254.169.254/\r\n", "");
    let packed = page("content-encoding: gzip\r\n", &json!({"objects": []}));
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{".to_vec();
    let wrong = page("", &json!({"type": "bundle", "objects": []}));
    let (_folder, site, _liar) = liar(vec![html, away, packed, cut, wrong]);
    for word in ["text/html", "not followed", "compressed", "", "bundle"] {
        let (code, code_word, text) = failed(&site, &["feed", "poll", "liar"]);
        assert_eq!((code, code_word.as_str()), (4, "feed_trouble"), "{text}");
        assert!(text.contains(word), "{word}: {text}");
    }
    let progress = site.run(&["feed", "show", "liar"])["feed"]["progress"].clone();
    assert_eq!((&progress["failures"], &progress["stored"]), (&json!(5), &json!(0)));
    assert_eq!(
        progress["cursor"],
        json!({"phase": "rest", "after": null, "next": null,
        "high": null, "page": null, "limit": null}),
        "trouble moves nothing"
    );
}

#[test]
fn what_a_feed_brought_goes_to_nobody_and_its_source_is_never_a_member() {
    let reports = std::fs::read(stage::scenario("records/xa-reports.json")).unwrap();
    let reports: Value = serde_json::from_slice(&reports).unwrap();
    let objects = json!({"objects": reports["objects"]});
    let (folder, site, _liar) = liar(vec![page("", &objects), page("", &json!({}))]);
    let partner = Site::new(&folder, "xb.police.ct", "XB", None);
    stage::introduce(&[&site, &partner], &COALITION);
    assert!(site.run(&["feed", "poll", "liar"])["polls"][0]["stored"].as_u64().unwrap() > 3);
    let to = ["export", "stix", "--to", "xb.police.ct", "--purpose", "ct.investigation"];
    let dry = ["--offence", "financing", "--dry-run", "--json"];
    let said = site.command(&[&to[..], &dry[..]].concat());
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    let tally = |key: &str| said["tally"][key].as_u64().unwrap();
    assert_eq!((tally("released"), tally("redacted"), tally("hit_only")), (0, 0, 0), "{said}");
    assert!(tally("refused") > 3, "as own records these are released: see export.rs; {said}");
    assert!(said.to_string().contains("ORIGINATOR_CONSENT"), "{said}");
    let outsider = Site::new(&folder, "outside.liar", "XC", None);
    let member = outsider.run(&["member", "export"]);
    let file = folder.0.join("outsider.member");
    std::fs::write(&file, member["document"].as_str().unwrap()).unwrap();
    let print = member["fingerprint"].as_str().unwrap();
    let refused = failed(&site, &["member", "add", file.to_str().unwrap(), "--fingerprint", print]);
    assert_eq!(refused.1, "member_outside");
}
