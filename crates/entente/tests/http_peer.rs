//! Between nodes: messages are delivered once, in order, whatever some partners do.
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
use stage::{COALITION, Folder, JSON, Site, eventually, introduce, scenario};
use std::io::{Read, Write};
use std::net::TcpListener;

const PURPOSE: [&str; 4] = ["--purpose", "ct.investigation", "--offence", "financing"];

fn order(from: &Site, to: &Site) {
    let mut order = vec!["order", "add", "--to", &to.agency];
    order.extend(PURPOSE);
    from.run(&order);
}

fn import(site: &Site) {
    let file = scenario("records/xa-reports.json");
    site.run(&["import", "stix", file.to_str().unwrap()]);
}

fn waiting(site: &Site) -> Vec<Value> {
    site.run(&["outbox"])["waiting"].as_array().unwrap().clone()
}

fn held(site: &Site) -> u64 {
    site.run(&["list", "--limit", "1"])["total"].as_u64().unwrap()
}

/// The message that waits at a node, as its courier would send it.
fn ready(site: &Site) -> Value {
    use store::Store as _;
    let store = store::embedded::Embedded::open(&site.dir.join("store")).unwrap();
    let snapshot = store.snapshot().unwrap();
    let waiting = node::outbox::all_waiting(&*snapshot).unwrap();
    json!(node::outbox::ready(&*snapshot, &waiting[0]).unwrap())
}

#[test]
fn what_is_released_arrives_and_what_is_recalled_goes() {
    let folder = Folder::new();
    let mut xa = Site::new(&folder, "xa.police.ct", "XA", None);
    let mut xb = Site::new(&folder, "xb.police.ct", "XB", None);
    introduce(&[&xa, &xb], &COALITION);
    xa.serve();
    xb.serve();
    order(&xa, &xb);
    import(&xa);
    eventually("the shipment arrives", || held(&xb) > 5);
    eventually("the outbox is empty", || waiting(&xa).is_empty());
    let before = held(&xb);
    let listed = xb.run(&["list", "--limit", "1000"]);
    let record = listed["records"][0]["id"].as_str().unwrap().to_owned();
    xa.run(&["recall", &record, "--reason", "an error"]);
    eventually("the recall is honoured", || held(&xb) < before);
    eventually("the recall is confirmed", || waiting(&xa).is_empty());
    let said = xa.run(&["outbox"]);
    assert_eq!(said["recall_receipts"].as_array().unwrap().len(), 1);
    xa.run(&["log", "verify"]);
    xb.run(&["log", "verify"]);
}

#[test]
fn a_message_twice_changes_nothing_and_a_changed_one_is_refused() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    let mut xb = Site::new(&folder, "xb.police.ct", "XB", None);
    let mut xc = Site::new(&folder, "xc.police.ncb", "XC", None);
    introduce(&[&xa, &xb, &xc], &COALITION);
    order(&xa, &xb);
    import(&xa);
    let message = ready(&xa);
    xb.serve();
    xc.serve();
    let send = |to: &Site, message: &Value| to.post("/peer/messages", &[JSON], message.to_string());
    for (part, value) in [
        ("manifest", json!("entente/manifest/v1\n{}\n\n— x AAAA\n")),
        ("body", json!("AAAA")),
        ("proof", Value::Null),
    ] {
        let mut changed = message.clone();
        changed["shipment"][part] = value;
        assert_eq!(send(&xb, &changed).status, 400, "{part}");
    }
    let mut changed = message.clone();
    let manifest = changed["shipment"]["manifest"].as_str().unwrap().to_owned();
    changed["shipment"]["manifest"] = json!(manifest.replacen("\"count\":", "\"count\":1", 1));
    assert_eq!(send(&xb, &changed).status, 400);
    let mut changed = message.clone();
    changed["shipment"]["proof"]["index"] = json!(0);
    assert_eq!(send(&xb, &changed).status, 400);
    // Somebody else's message opens nowhere.
    assert_eq!(send(&xc, &message).status, 400);
    assert_eq!(held(&xb), 0);
    let first = send(&xb, &message);
    assert_eq!(first.status, 200, "{}", first.body);
    assert!(first.body.starts_with("entente/receipt/v1\n"));
    let (records, entries) = (held(&xb), xb.run(&["log", "verify"])["audit"]["kinds"].clone());
    let second = send(&xb, &message);
    assert_eq!(second.status, 200);
    assert_eq!(first.body, second.body);
    assert_eq!(held(&xb), records);
    let after = xb.run(&["log", "verify"])["audit"]["kinds"].clone();
    assert_eq!(after["arrival"], entries["arrival"]);
}

/// A partner that misbehaves: takes every connection and hands it to `act`.
fn bad_partner(act: impl Fn(std::net::TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let act = std::sync::Arc::new(act);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = std::sync::Arc::clone(&act);
            std::thread::spawn(move || act(stream));
        }
    });
    address
}

fn read_head(stream: &mut std::net::TcpStream) {
    let mut buffer = [0_u8; 4_096];
    let _head = stream.read(&mut buffer);
}

#[test]
fn a_partner_that_never_answers_holds_nobody_up() {
    let folder = Folder::new();
    let silent = bad_partner(|stream| {
        std::thread::sleep(std::time::Duration::from_secs(120));
        drop(stream);
    });
    let mut xa = Site::new(&folder, "xa.police.ct", "XA", None);
    let xb = Site::new(&folder, "xb.police.ct", "XB", Some(&silent));
    let mut xc = Site::new(&folder, "xc.police.ncb", "XC", None);
    introduce(&[&xa, &xb, &xc], &COALITION);
    xa.serve();
    xc.serve();
    order(&xa, &xb);
    order(&xa, &xc);
    import(&xa);
    eventually("the sound partner is served", || held(&xc) > 3);
    let to_xb = |w: &Value| w["recipient"] == "xb.police.ct";
    assert!(waiting(&xa).iter().all(to_xb) && !waiting(&xa).is_empty());
}

#[test]
fn one_pass_delivers_what_it_can_and_says_what_waits() {
    let folder = Folder::new();
    let nonsense = bad_partner(|mut stream| {
        read_head(&mut stream);
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
    });
    let endless = bad_partner(|mut stream| {
        read_head(&mut stream);
        let _head = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n");
        while stream.write_all(&[b'x'; 65_536]).is_ok() {}
    });
    for (bad, word) in [(nonsense, "signed document"), (endless, "exceeds")] {
        let folder = Folder(folder.0.join(word.replace(' ', "-")));
        std::fs::create_dir_all(&folder.0).unwrap();
        let xa = Site::new(&folder, "xa.police.ct", "XA", None);
        let xb = Site::new(&folder, "xb.police.ct", "XB", Some(&bad));
        let mut xc = Site::new(&folder, "xc.police.ncb", "XC", None);
        introduce(&[&xa, &xb, &xc], &COALITION);
        order(&xa, &xb);
        order(&xa, &xc);
        import(&xa);
        xc.serve();
        let done = xa.run(&["deliver"])["deliveries"].as_array().unwrap().clone();
        let lines: Vec<&str> = done.iter().map(|line| line.as_str().unwrap()).collect();
        let starts = |start: &str| lines.iter().any(|line| line.starts_with(start));
        assert!(
            starts("delivered to xc.police.ncb") && starts("waits for xb.police.ct"),
            "{lines:?}"
        );
        assert!(lines.iter().any(|line| line.contains(word)), "{lines:?}");
        assert_eq!(waiting(&xa).len(), 1);
        assert!(held(&xc) > 3);
    }
}

/// A partner whose door refuses everything with this status and body.
fn refuser(status: &'static str, body: &'static str) -> String {
    bad_partner(move |mut stream| {
        read_head(&mut stream);
        let length = body.len();
        let head = format!("HTTP/1.1 {status} No\r\ncontent-length: {length}\r\n");
        let rest = format!("content-type: application/json\r\nconnection: close\r\n\r\n{body}");
        let _sent = stream.write_all(format!("{head}{rest}").as_bytes());
        // WHY: what the sender still sends is read away, or the answer would be lost with it.
        let mut sink = [0_u8; 65_536];
        while stream.read(&mut sink).is_ok_and(|read| read > 0) {}
    })
}

#[test]
fn what_a_partner_refuses_for_good_is_given_up_shown_and_sent_again() {
    let folder = Folder::new();
    let refuses = refuser("400", "{\"code\":\"not_for_us\"}");
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    let xb = Site::new(&folder, "xb.police.ct", "XB", Some(&refuses));
    introduce(&[&xa, &xb], &COALITION);
    order(&xa, &xb);
    import(&xa);
    let digest = waiting(&xa)[0]["digest"].as_str().unwrap().to_owned();
    for round in 1..=3 {
        let done = xa.run(&["deliver"])["deliveries"].as_array().unwrap().clone();
        let line = done[0].as_str().unwrap();
        let wanted = if round < 3 { "waits for xb.police.ct" } else { "given up for xb.police.ct" };
        assert!(line.starts_with(wanted) && line.contains("400, not_for_us"), "{line}");
        if round < 3 {
            assert_eq!(waiting(&xa)[0]["refusals"]["count"], round);
        }
    }
    let said = xa.run(&["outbox"]);
    assert_eq!(said["waiting"].as_array().unwrap().len(), 0);
    let aside = &said["undelivered"][0];
    assert_eq!(
        (aside["digest"].as_str(), &aside["subject"]["about"]),
        (Some(&*digest), &json!("shipment"))
    );
    assert!(aside["given_up"]["reason"].as_str().unwrap().contains("400 not_for_us, 3 times"));
    let words = String::from_utf8(xa.command(&["status"]).stdout).unwrap();
    assert!(words.contains("1 message given up: entente outbox"), "{words}");
    assert_eq!(xa.run(&["status"])["counts"]["undelivered"], 1);
    assert_eq!(xa.run(&["log", "verify"])["audit"]["kinds"]["undelivered"], 1);
    let unknown = digest.replace(&digest[7..15], "00000000");
    assert_eq!(xa.command(&["deliver", "--again", &unknown]).status.code(), Some(2));
    let again = xa.run(&["deliver", "--again", "all"]);
    assert_eq!(again["again"].as_array().unwrap().len(), 1);
    assert_eq!(xa.run(&["outbox"])["undelivered"].as_array().unwrap().len(), 0);
    let fresh = waiting(&xa)[0]["digest"].as_str().unwrap().to_owned();
    assert_ne!(fresh, digest, "it was decided on and sealed anew");
    xa.run(&["deliver", "--give-up", &fresh]);
    assert_eq!(xa.run(&["outbox"])["undelivered"].as_array().unwrap().len(), 1);
    assert!(waiting(&xa).is_empty());
}

#[test]
fn what_passes_is_never_given_up_and_one_refusal_holds_nothing_else_up() {
    let folder = Folder::new();
    let busy = refuser("503", "{\"code\":\"unavailable\"}");
    let small = refuser("413", "<html>too large</html>");
    let mut xa = Site::new(&folder, "xa.police.ct", "XA", None);
    let xb = Site::new(&folder, "xb.police.ct", "XB", Some(&busy));
    let xc = Site::new(&folder, "xc.police.ncb", "XC", Some(&small));
    introduce(&[&xa, &xb, &xc], &COALITION);
    order(&xa, &xb);
    order(&xa, &xc);
    import(&xa);
    for _ in 0..12 {
        xa.run(&["deliver"]);
    }
    let said = xa.run(&["outbox"]);
    let aside = said["undelivered"].as_array().unwrap();
    assert!(aside.len() == 1 && aside[0]["recipient"] == "xc.police.ncb", "{said}");
    assert!(waiting(&xa).iter().all(|w| w["recipient"] == "xb.police.ct"));
    // The same while it serves: the courier goes on to what follows.
    xa.serve();
    xa.run(&["deliver", "--again", "all"]);
    eventually("it is given up again", || {
        xa.run(&["outbox"])["undelivered"].as_array().unwrap().len() == 1
    });
}

#[test]
fn a_list_is_read_a_page_at_a_time() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    import(&xa);
    let ids = |said: &Value| -> Vec<String> {
        let records = said["records"].as_array().unwrap();
        records.iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
    };
    let whole = ids(&xa.run(&["list", "--limit", "1000"]));
    assert!(whole.len() > 5);
    let (mut read, mut after, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let mut words = vec!["list", "--limit", "2"];
        if let Some(after) = &after {
            words.extend(["--after", after.as_str()]);
        }
        let said = xa.run(&words);
        pages += 1;
        read.extend(ids(&said));
        match said["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!((read, pages), (whole.clone(), whole.len().div_ceil(2)));
}

#[test]
fn partners_with_access_check_the_log_for_themselves() {
    let folder = Folder::new();
    let mut xa = Site::new(&folder, "xa.police.ct", "XA", None);
    let xb = Site::new(&folder, "xb.police.ct", "XB", None);
    introduce(&[&xa, &xb], &COALITION);
    let access = xa.access(&xb);
    xa.serve();
    let get = |path: &str| xa.get(path, &[("authorization", access.as_str())]);
    let note = get("/log/checkpoint");
    assert_eq!(note.status, 200);
    let size: u64 = note.body.lines().nth(1).unwrap().parse().unwrap();
    let proof = get(&format!("/log/proof/consistency?old=3&new={size}"));
    assert_eq!(proof.status, 200);
    assert!(!proof.json()["consistency"].as_array().unwrap().is_empty());
    let beyond = size + 1;
    for query in [
        format!("old=1&new={beyond}"),
        "old=3&new=2".to_owned(),
        "old=x&new=2".to_owned(),
        "old=1".to_owned(),
        "old=1&old=1&new=2".to_owned(),
    ] {
        assert_eq!(get(&format!("/log/proof/consistency?{query}")).status, 400, "{query}");
    }
    let tile = format!("/log/tile/0/000.p/{size}");
    assert_eq!(get(&tile).status, 200);
    assert_eq!(xa.get(&tile, &[]).status, 401, "the door is for those who are known");
    let entries = format!("/log/tile/entries/000.p/{size}");
    for absent in [entries.as_str(), "/log/tile/0/001", "/log/tile/0/0", "/log/tile/../checkpoint"]
    {
        assert_eq!(get(absent).status, 404, "{absent}");
        assert_eq!(
            get(absent).body,
            get("/log/tile/9/000").body,
            "one answer for what is not there"
        );
    }
    let officer = format!("Bearer {}", xa.token());
    let own = xa.get(&entries, &[("authorization", officer.as_str())]);
    assert_eq!(own.status, 200, "an auditor's copy holds the entries");
}
