//! The doors to strangers and officers: who is let in, what is refused, and how.
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

use serde_json::json;
use stage::{Folder, JSON, Site, introduce};
use std::io::{Read, Write};
use std::net::TcpStream;

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[test]
fn nobody_gets_in_without_a_sign_in() {
    let folder = Folder::new();
    let mut xa = Site::new(&folder, "xa.police.ct", "XA", None);
    xa.serve();
    let wrong = bearer(&"0".repeat(64));
    for headers in [&[][..], &[("authorization", wrong.as_str())], &[("cookie", "entente-x=1.2")]] {
        for path in [
            "/",
            "/records",
            "/records/x",
            "/agreements",
            "/agreements/x",
            "/log",
            "/nothing",
            "/?token=wrong",
            "/?token=",
            "/taxii2/",
            "/taxii2/api/",
            "/taxii2/api/collections/",
            "/taxii2/api/collections/x/objects/",
            "/taxii2/nothing",
            "/log/checkpoint",
            "/log/proof/consistency?old=0&new=1",
        ] {
            let said = xa.get(path, headers);
            assert_eq!(said.status, 401, "{path}: {}", said.body);
            assert!(said.header("set-cookie").is_none(), "{path}");
        }
        let mut headers = headers.to_vec();
        headers.push(JSON);
        let said = xa.post("/officer/commands", &headers, "{\"command\":\"status\"}");
        assert_eq!(said.status, 401);
        assert!(said.header("www-authenticate").is_some());
        assert_eq!(said.json()["code"], "unauthorised");
    }
}

#[test]
fn an_officer_commands_through_the_door_and_is_told_what_is_wrong() {
    let folder = Folder::new();
    let mut xa = Site::new(&folder, "xa.police.ct", "XA", None);
    xa.serve();
    let token = bearer(&xa.token());
    let officer = |name: &str, body: &str| {
        let headers = [("authorization", token.as_str()), ("x-officer", name), JSON];
        xa.post("/officer/commands", &headers, body)
    };
    let said = officer("Ana", "{\"command\":\"status\"}");
    assert_eq!((said.status, said.json()["json"]["agency"].as_str()), (200, Some("xa.police.ct")));
    for (body, status, code) in [
        ("{", 400, "bad_command"),
        ("{\"command\":\"destroy\"}", 400, "bad_command"),
        ("{\"command\":\"log_prove\",\"index\":0,\"extra\":1}", 400, "bad_command"),
        ("{\"command\":\"status\",\"extra\":1}", 400, "bad_command"),
        ("{\"command\":\"show\",\"record\":\"report--none\"}", 404, "no_such_record"),
        ("{\"command\":\"log_prove\",\"index\":99}", 404, "no_such_entry"),
        ("{\"command\":\"vocabulary\",\"document\":\"{\"}", 422, "document_wrong"),
    ] {
        let said = officer("Ana", body);
        assert_eq!((said.status, said.json()["code"].as_str()), (status, Some(code)), "{body}");
        assert!(!said.json()["help"].as_str().unwrap().is_empty());
    }
    assert_eq!(officer("<Ana>", "{\"command\":\"status\"}").status, 400);
    let headers = [("authorization", token.as_str()), ("content-type", "text/plain")];
    let said = xa.post("/officer/commands", &headers, "{\"command\":\"status\"}");
    assert_eq!(said.json()["code"], "media_type");
    // The keyboard goes through the same door while the node serves, under the officer's name.
    xa.run(&["--officer", "Ana Kovac", "list"]);
    let last = xa.entries().pop().unwrap();
    assert_eq!(last["openings"]["reader"]["value"], "Ana Kovac");
}

#[test]
fn what_is_malformed_or_too_large_is_refused_and_says_nothing_of_members() {
    let folder = Folder::new();
    let mut xa = Site::new(&folder, "xa.police.ct", "XA", None);
    let xb = Site::new(&folder, "xb.police.ct", "XB", None);
    introduce(&[&xa, &xb], &[]);
    xa.serve();
    let send = |body: &str| xa.post("/peer/messages", &[JSON], body);
    let refusal = send("not json");
    assert_eq!((refusal.status, refusal.json()["code"].as_str()), (400, Some("message_refused")));
    let note = |giver: &str| {
        let body = format!(
            "{{\"at\":\"2026-01-01T00:00:00Z\",\"derived\":\"purge\",\"giver\":\"{giver}\",\
             \"originator\":\"{giver}\",\"reason\":\"r\",\"recipient\":\"xa.police.ct\",\
             \"record\":\"report--1\"}}"
        );
        let text = format!("entente/recall/v1\n{body}\n\n— {giver}/release {}\n", "A".repeat(92));
        json!({"note": text}).to_string()
    };
    let known = send(&note("xb.police.ct"));
    let unknown = send(&note("xq.police.ct"));
    assert_eq!(known, unknown, "a forged message tells who is pinned");
    for body in ["{}", "[]", "{\"note\":\"\"}", "{\"shipment\":{}}", &"[".repeat(100_000)] {
        assert_eq!(send(body), refusal);
    }
    let said = xa.post("/peer/messages", &[("content-type", "text/plain")], "{}");
    assert_eq!((said.status, said.json()["code"].as_str()), (415, Some("media_type")));
    let said = send(&"x".repeat(33 * 1024 * 1024));
    assert_eq!((said.status, said.json()["code"].as_str()), (413, Some("too_large")));
    assert_eq!(xa.get("/peer/messages", &[]).status, 405);
    // The node goes on.
    assert_eq!(send("not json"), refusal);
}

#[test]
fn a_head_without_end_is_cut_off() {
    let folder = Folder::new();
    let mut xa = Site::new(&folder, "xa.police.ct", "XA", None);
    xa.serve();
    let mut stream = TcpStream::connect(xa.address.trim_start_matches("http://")).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let line = format!("x: {}\r\n", "y".repeat(1_000));
    let mut sent = 0;
    while sent < 1_000 && stream.write_all(line.as_bytes()).is_ok() {
        sent += 1;
    }
    let mut answer = String::new();
    let _cut_off = stream.read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(xa.get("/", &[]).status, 401);
}

#[test]
fn an_address_in_use_is_named_with_its_cure() {
    let folder = Folder::new();
    let mut xa = Site::new(&folder, "xa.police.ct", "XA", None);
    xa.serve();
    let xb = Site::new(&folder, "xb.police.ct", "XB", None);
    let taken = xa.address.trim_start_matches("http://");
    let file = xb.dir.join("node.toml");
    let own = xb.address.trim_start_matches("http://");
    let text = std::fs::read_to_string(&file).unwrap().replace(own, taken);
    std::fs::write(&file, text).unwrap();
    let done = xb.command(&["serve"]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(4), "{said}");
    assert!(said.contains(taken) && said.contains("node.toml"), "{said}");
}

#[test]
fn a_node_told_to_stop_ends_well_and_starts_again() {
    let folder = Folder::new();
    let mut xa = Site::new(&folder, "xa.police.ct", "XA", None);
    xa.serve();
    xa.run(&["list"]);
    assert_eq!(xa.stop().code(), Some(0));
    let before = xa.run(&["log", "verify"])["audit"]["size"].as_u64().unwrap();
    xa.serve();
    assert_eq!(xa.run(&["log", "verify"])["audit"]["size"].as_u64(), Some(before));
}
