//! Thousands of silent connections do not starve a client.
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
use stage::{Fixture, Folder};
use std::io::Write;
use std::net::TcpStream;

#[test]
fn a_crowd_of_silent_connections_starves_nobody() {
    let folder = Folder::new();
    let contents = json!({"users": {"admin": "Password0"}, "/discovery": {"title": "t"}});
    let fixture = Fixture::start(&folder, &contents, &[]);
    let address = fixture.address().trim_start_matches("http://").to_owned();
    // As many as this process may open: half of them say nothing, half begin a request.
    let mut crowd = Vec::new();
    for number in 0..3_000 {
        let Ok(mut stream) = TcpStream::connect(&address) else { break };
        if number % 2 == 0 {
            let _refused = stream.write_all(b"GET /taxii2/ HTTP/1.1\r\nHost: x\r\n");
        }
        crowd.push(stream);
        if number % 500 == 499 {
            assert_eq!(fixture.get("/taxii2/", &[]).status, 200, "behind {number} others");
        }
    }
    assert!(crowd.len() >= 500, "only {} connections could be opened", crowd.len());
    assert_eq!(fixture.get("/taxii2/", &[]).status, 200);
}
