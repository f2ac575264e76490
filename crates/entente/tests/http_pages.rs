//! The officer's pages: signed in or not at all, everything escaped, nothing from elsewhere.
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

use stage::{COALITION, Folder, Said, Site, introduce, scenario};

const EVIL: &str = "<script>alert(1)</script>\\\"><img src=x onerror=alert(1)>";

fn scene(folder: &Folder) -> (Site, String) {
    let mut xa = Site::new(folder, "xa.police.ct", "XA", None);
    let xb = Site::new(folder, "xb.police.ct", "XB", Some("http://127.0.0.1:9"));
    introduce(&[&xa, &xb], &COALITION);
    xa.run(&["order", "add", "--to", "xb.police.ct", "--purpose", "ct.investigation"]);
    let file = scenario("records/xa-reports.json");
    xa.run(&["import", "stix", file.to_str().unwrap()]);
    let evil = format!(
        "{{\"type\":\"indicator\",\"spec_version\":\"2.1\",\
         \"id\":\"indicator--11111111-1111-4111-8111-111111111111\",\
         \"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\",\
         \"valid_from\":\"2026-01-01T00:00:00Z\",\"pattern_type\":\"stix\",\
         \"pattern\":\"[url:value = 'http://x.example/']\",\"name\":\"{EVIL}\"}}"
    );
    let file = xa.dir.join("evil.json");
    std::fs::write(&file, evil).unwrap();
    xa.run(&["import", "stix", file.to_str().unwrap()]);
    xa.serve();
    let said = xa.get(&format!("/?token={}", xa.token()), &[]);
    assert_eq!((said.status, said.header("location")), (303, Some("/")));
    let cookie = said.header("set-cookie").unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    (xa, cookie)
}

fn sound(path: &str, said: &Said) {
    let policy = said.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{path}");
    assert_eq!(said.header("cache-control"), Some("no-store"), "{path}");
    for wrong in ["<script", "<img", "onerror=alert(1)>", "javascript:", "style=\"", "http-equiv"] {
        assert!(!said.body.contains(wrong), "{path} contains {wrong}");
    }
    assert!(said.body.contains("<html lang=\"en\">") && said.body.contains("class=\"skip\""));
    assert_eq!(said.body.matches("<main").count(), 1, "{path}");
    assert_eq!(said.body.matches("<h1>").count(), 1, "{path}");
    assert_eq!(said.body.matches("<table>").count(), said.body.matches("<caption>").count());
}

#[test]
fn every_page_opens_for_an_officer_and_is_sound() {
    let folder = Folder::new();
    let (xa, cookie) = scene(&folder);
    let get = |path: &str| xa.get(path, &[("cookie", cookie.as_str())]);
    let listed = get("/records");
    let agreements = get("/agreements");
    let first = |said: &Said, start: &str| {
        let (_, rest) = said.body.split_once(start).unwrap();
        format!("{}{}", start.trim_start_matches("href=\""), rest.split('"').next().unwrap())
    };
    for path in [
        "/".to_owned(),
        "/records".to_owned(),
        "/records?type=report".to_owned(),
        "/records?type=%3Cscript%3E".to_owned(),
        "/records?page=99".to_owned(),
        first(&listed, "href=\"/records/"),
        "/records/indicator--11111111-1111-4111-8111-111111111111".to_owned(),
        "/agreements".to_owned(),
        first(&agreements, "href=\"/agreements/"),
        "/log".to_owned(),
        "/log?before=3".to_owned(),
    ] {
        let said = get(&path);
        assert_eq!(said.status, 200, "{path}: {}", said.body);
        sound(&path, &said);
    }
    for path in ["/nothing", "/records/report--none", "/agreements/none", "/records/%zz", "/a/b/c"]
    {
        let said = get(path);
        assert_eq!(said.status, 404, "{path}");
        sound(path, &said);
    }
    let style = xa.get("/style.css", &[]);
    assert_eq!(
        (style.status, style.header("content-type")),
        (200, Some("text/css; charset=utf-8"))
    );
    assert!(!style.body.contains("url(") && !style.body.contains("@import"));
}

#[test]
fn what_stands_in_a_record_stays_text() {
    let folder = Folder::new();
    let (xa, cookie) = scene(&folder);
    let path = "/records/indicator--11111111-1111-4111-8111-111111111111";
    let said = xa.get(path, &[("cookie", cookie.as_str())]);
    assert!(said.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    let last = xa.entries().pop().unwrap();
    let query = last["openings"]["query"]["value"].as_str().unwrap().to_owned();
    assert!(query.contains("indicator--11111111"), "the look is not in the log: {query}");
}

#[test]
fn a_sign_in_is_of_this_node_and_cannot_be_made_up() {
    let folder = Folder::new();
    let (xa, cookie) = scene(&folder);
    let (name, value) = cookie.split_once('=').unwrap();
    let (until, proof) = value.split_once('.').unwrap();
    let later = until.parse::<i64>().unwrap() + 1;
    for wrong in [
        format!("{name}="),
        format!("{name}={until}"),
        format!("{name}={later}.{proof}"),
        format!("{name}=1.{proof}"),
        format!("entente={value}"),
        format!("{name}={until}.{}", xa.token()),
    ] {
        assert_eq!(xa.get("/", &[("cookie", wrong.as_str())]).status, 401, "{wrong}");
    }
    let among = format!("a=b; {cookie}; c=d");
    assert_eq!(xa.get("/", &[("cookie", among.as_str())]).status, 200);
    assert!(!cookie.contains(&xa.token()), "the cookie carries the token itself");
}
