//! FollowTheMoney: what is read, what is refused and where, and that it comes back the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests may stop at the first surprise"
)]

use proptest::prelude::*;
use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::Path;
use wire::ftm::{Entity, Problem, Summary, read};
use wire::limits::OBJECT_BYTES_MAX;

fn all(bytes: &[u8]) -> (Vec<Entity>, Vec<Problem>, Summary) {
    let (mut entities, mut problems) = (Vec::new(), Vec::new());
    // WHY a small buffer: lines go over its edge.
    let summary = read(BufReader::with_capacity(7, bytes), &mut |entity| {
        match entity {
            Ok(entity) => entities.push(entity),
            Err(problem) => problems.push(problem),
        }
        ControlFlow::Continue(())
    });
    (entities, problems, summary.unwrap())
}

#[test]
fn an_entity_is_read_with_all_it_says() {
    let line = r#"{"id":"xa-1","schema":"Person","caption":"Ada Venn","target":true,
        "properties":{"name":["Ada Venn","A. Venn","Ada Venn"],"alias":"Raven","notes":[]},
        "datasets":["xa_list"],"referents":["xb-7"],"first_seen":"2026-01-02"}"#;
    let entity = Entity::parse(line.as_bytes()).unwrap();
    assert_eq!(entity.values("name"), ["Ada Venn", "A. Venn"]);
    assert_eq!(entity.values("alias"), ["Raven"]);
    assert!(entity.values("notes").is_empty() && !entity.properties.contains_key("notes"));
    assert!(entity.datasets.contains("xa_list") && entity.referents.contains("xb-7"));
    assert_eq!((entity.target, entity.caption.as_deref()), (Some(true), Some("Ada Venn")));
    assert_eq!(entity.other["first_seen"], "2026-01-02");
    assert_eq!(Entity::parse(entity.to_line().as_bytes()), Ok(entity));
}

#[test]
fn each_fault_has_its_place() {
    let cases = [
        ("[]", "", "is not an object"),
        (r#"{"schema":"Person"}"#, "/id", "is missing"),
        (r#"{"id":"","schema":"Person"}"#, "/id", "is missing"),
        (r#"{"id":7,"schema":"Person"}"#, "/id", "is not a text"),
        (r#"{"id":"a"}"#, "/schema", "is missing"),
        (r#"{"id":"a","schema":"a b"}"#, "/schema", "is not a name of the model"),
        (r#"{"id":"a","schema":"A","properties":[]}"#, "/properties", "is not an object"),
        (r#"{"id":"a","schema":"A","properties":{"a/b":[]}}"#, "/properties/a~1b", "is not a name"),
        (r#"{"id":"a","schema":"A","properties":{"n":[1]}}"#, "/properties/n/0", "is not a text"),
        (r#"{"id":"a","schema":"A","properties":{"n":[{}]}}"#, "/properties/n/0", "inside another"),
        (r#"{"id":"a","schema":"A","target":"yes"}"#, "/target", "is neither true nor false"),
        (r#"{"id":"a","schema":"A","datasets":3}"#, "/datasets", "is not a list of texts"),
        (r#"{"id":"a","id":"b","schema":"A"}"#, "", "occurs twice"),
    ];
    for (text, pointer, reason) in cases {
        let fault = Entity::parse(text.as_bytes()).unwrap_err();
        assert!(fault.reason.contains(reason), "{text}: {fault}");
        assert!(reason == "occurs twice" || fault.pointer == pointer, "{text}: {fault}");
        assert!(!fault.cure.is_empty(), "{text}");
    }
    let long = format!(r#"{{"id":"{}","schema":"A"}}"#, "x".repeat(1_025));
    assert_eq!(Entity::parse(long.as_bytes()).unwrap_err().pointer, "/id");
}

#[test]
fn a_bad_line_is_rejected_alone() {
    let text =
        "{\"id\":\"a\",\"schema\":\"A\"}\r\n\n{broken\n{\"id\":\"b\",\"schema\":\"A\"}\n{\"id\":";
    let (entities, problems, summary) = all(text.as_bytes());
    assert_eq!(entities.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(problems.iter().map(|p| p.line).collect::<Vec<_>>(), [3, 5]);
    assert!(problems.iter().all(|p| p.fault.column.is_some()));
    assert_eq!(summary, Summary { entities: 2, rejected: 2 });
}

#[test]
fn a_line_too_long_is_passed_over() {
    let mut text = vec![b'x'; OBJECT_BYTES_MAX + 1];
    text.extend_from_slice(b"\n{\"id\":\"a\",\"schema\":\"A\"}");
    let (entities, problems, _) = all(&text);
    assert_eq!(entities.len(), 1);
    assert_eq!(problems[0].line, 1);
    assert!(problems[0].fault.reason.contains("longer than"), "{}", problems[0]);
}

#[test]
fn the_visitor_ends_the_reading() {
    let text = b"{\"id\":\"a\",\"schema\":\"A\"}\n{\"id\":\"b\",\"schema\":\"A\"}\n";
    let summary = read(&text[..], &mut |_| ControlFlow::Break(())).unwrap();
    assert_eq!(summary, Summary { entities: 1, rejected: 0 });
}

#[test]
fn published_files_read_and_come_back_the_same() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/screening/opensanctions");
    if !folder.exists() {
        eprintln!("SKIPPED: published entities: shared data absent");
        return;
    }
    let mut entities = 0_u64;
    for file in ["yente_fixture_zala.ftm.json", "yente_fixture_parteispenden.ftm.json"] {
        let reader = BufReader::new(File::open(folder.join(file)).unwrap());
        let summary = read(reader, &mut |entity| {
            let entity = entity.unwrap_or_else(|problem| panic!("{file}: {problem}"));
            assert_eq!(Entity::parse(entity.to_line().as_bytes()), Ok(entity));
            ControlFlow::Continue(())
        });
        entities += summary.unwrap().entities;
    }
    assert_eq!(entities, COUNT);
}

/// Lines of both files, counted apart.
const COUNT: u64 = 566;

prop_compose! {
    fn entity()(
        id in "[a-z0-9-]{1,20}", schema in "[A-Z][A-Za-z]{0,12}",
        caption in proptest::option::of(".*"),
        properties in proptest::collection::btree_map(
            "[a-z][A-Za-z]{0,10}", proptest::collection::btree_set(".*", 1..4), 0..5),
        datasets in proptest::collection::btree_set("[a-z_]{1,9}", 0..3),
        referents in proptest::collection::btree_set("[a-z0-9-]{1,9}", 0..3),
        target in proptest::option::of(any::<bool>()),
        seen in proptest::option::of("20[0-9]{2}-0[1-9]-1[0-9]"),
    ) -> Entity {
        let mut other = serde_json::Map::new();
        other.extend(seen.map(|seen| ("last_seen".to_owned(), seen.into())));
        let list = |(name, values): (String, std::collections::BTreeSet<String>)| {
            (name, values.into_iter().collect())
        };
        let properties = properties.into_iter().map(list).collect();
        Entity { id, schema, caption, properties, datasets, referents, target, other }
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(entities in proptest::collection::vec(entity(), 0..6)) {
        let text: String = entities.iter().map(|entity| entity.to_line() + "\n").collect();
        let (read, problems, _) = all(text.as_bytes());
        prop_assert!(problems.is_empty());
        prop_assert_eq!(read, entities);
    }

    #[test]
    fn no_bytes_stop_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        all(&bytes);
    }
}
