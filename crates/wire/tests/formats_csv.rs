//! Tables: by a map, by a guess, and as this program writes them.
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
use std::ops::ControlFlow;
use std::path::Path;
use wire::csv::{COLUMNS, Map, NOT_GIVEN, header, read, read_own, safe, survey, to_row, write_map};
use wire::stix::{Fatal, Item, StixObject, Summary};

const MAP: &str = include_str!("golden/csv/indicators.toml");
const TABLE: &str = include_str!("golden/csv/indicators.csv");

type Outcome = (Vec<StixObject>, Vec<String>, Result<Summary, Fatal>);

fn gather(
    run: impl FnOnce(&mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<Summary, Fatal>,
) -> Outcome {
    let (mut objects, mut bad) = (Vec::new(), Vec::new());
    let ended = run(&mut |item| {
        match item {
            Item::Object(object) => objects.push(*object),
            Item::Rejected(rejected) => bad.push(format!("{rejected}; help: {}", rejected.cure)),
        }
        ControlFlow::Continue(())
    });
    (objects, bad, ended)
}

fn by_map(table: &[u8], map: &str) -> Outcome {
    let map = Map::parse(map).unwrap();
    gather(|visit| read(table, &map, visit))
}

fn own(table: &[u8]) -> Outcome {
    gather(|visit| read_own(table, visit))
}

fn golden(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/csv");
    let text = |end: &str| std::fs::read_to_string(folder.join(format!("{name}.{end}"))).unwrap();
    let (objects, bad, ended) = by_map(text("csv").as_bytes(), &text("toml"));
    let lines = objects.iter().map(|object| String::from_utf8(object.raw().to_vec()).unwrap());
    let summary = ended.unwrap();
    assert_eq!((summary.accepted, summary.rejected), (objects.len() as u64, bad.len() as u64));
    let got = lines.chain(bad).map(|line| line + "\n").collect::<String>();
    let path = folder.join(format!("{name}.txt"));
    if std::env::var_os("ENTENTE_BLESS").is_some() {
        std::fs::write(&path, &got).unwrap();
    }
    assert_eq!(got, std::fs::read_to_string(path).unwrap(), "ENTENTE_BLESS=1 writes the file anew");
}

#[test]
fn tables_become_the_records_in_the_golden_files() {
    golden("indicators");
    golden("persons");
}

#[test]
fn each_bad_row_is_rejected_alone_with_line_cell_and_cure() {
    let (objects, bad, ended) = by_map(TABLE.as_bytes(), MAP);
    assert_eq!((objects.len(), bad.len()), (3, 4), "{bad:#?}");
    assert!(bad[0].contains("line 6 column 2 (`indicator`)") && bad[0].contains("`not a url`"));
    assert!(bad[1].contains("line 7 column 4") && bad[1].contains("day-month-year"));
    assert!(bad[2].contains("line 8") && bad[2].contains("4 cells where the table has 6"));
    assert!(bad[3].contains("line 9") && bad[3].contains("same key"), "{}", bad[3]);
    assert!(bad.iter().all(|line| line.contains("help: ")));
    assert_eq!(ended.unwrap().accepted, 3);
    let first = &objects[0];
    assert_eq!(first.text("pattern"), Some("[url:value = 'http://pay.harrow.example/a']"));
    assert_eq!(first.text("valid_from"), Some("2025-04-03T08:15:00Z"));
    assert_eq!(first.text("description"), Some("quoted; and\non two lines"));
    let text = String::from_utf8_lossy(first.raw());
    assert!(text.contains("\"csv.analyst\":[\"=1+1\"]"), "a formula is a text: {text}");
    assert_eq!(objects[1].text("pattern"), Some(r"[url:value = 'http://it\'s.example']"));
}

#[test]
fn identifiers_hold_from_edition_to_edition_and_the_date_makes_the_version() {
    let (first, ..) = by_map(TABLE.as_bytes(), MAP);
    let later = MAP.replace("2025-05-01", "2025-06-01");
    let (second, ..) = by_map(TABLE.replace("V. Lind", "W. Lind").as_bytes(), &later);
    let ids = |objects: &[StixObject]| objects.iter().map(|o| o.id().clone()).collect::<Vec<_>>();
    assert_eq!(ids(&first), ids(&second));
    assert!(first.iter().zip(&second).all(|(a, b)| a.modified() < b.modified()));
    let (other, ..) = by_map(TABLE.as_bytes(), &MAP.replace("harrow-watch", "other"));
    assert!(ids(&first).iter().all(|id| !ids(&other).contains(id)), "another table, other records");
}

#[test]
fn a_map_that_leaves_something_open_is_refused() {
    let without = |line: &str| {
        assert!(MAP.contains(line), "{line}");
        MAP.replace(line, "")
    };
    let instead = |line: &str, other: &str| without(line) + other;
    let cases = [
        (without("dates = \"day-month-year\"\n"), "leaves open how dates in `first seen`"),
        (MAP.replace("day-month-year", "?"), "leaves open how dates"),
        (MAP.replace("\"+02:00\"", "\"?\""), "the zone `?`"),
        (MAP.replace("\"indicator\"\n\n[[", "\"?\"\n\n[["), "`[record] kind` is `?`"),
        (MAP.replace("\"indicator\"\n\n[[", "\"person\"\n\n[["), "subject"),
        (MAP.replace("2025-05-01", "01/05/2025"), "not a date"),
        (MAP.replace("harrow-watch", "?"), "left open"),
        (MAP.replace("amber+strict", "beige"), "no label"),
        (MAP.replace("format = 1", "format = 2"), "not a form of map"),
        (MAP.replace("\"url\"", "\"name\""), "cannot be the value"),
        (MAP.replace("delimiter = \";\"", "delimiter = \";;\""), "not a delimiter"),
        (instead("grade = \"C3\"\n", "colour = 1\n"), "unknown field"),
        (MAP.replace("as = \"keep\"", "as = \"latitude\""), "no place for the column `analyst`"),
        (MAP.replace("as = \"keep\"", "as = \"description\""), "says what another column says"),
        (MAP.replace("\"C3\"", "\"Z9\""), "no grade"),
        (
            MAP.replace("kind = \"indicator\"", "kind = \"indicator\"\nsubject = \"suspect\""),
            "not who asserts it on what basis",
        ),
    ];
    for (map, reason) in cases {
        let problem = Map::parse(&map).unwrap_err();
        assert!(problem.to_string().contains(reason), "{problem} is not `{reason}`");
        assert!(!problem.cure.is_empty());
    }
    let line = Map::parse(&MAP.replace("header = true", "header = 7")).unwrap_err().line;
    assert_eq!(line, Some(6));
}

#[test]
fn a_map_that_says_nothing_of_marking_shares_with_nobody() {
    let (start, rest) = MAP.split_once("[marking]").unwrap();
    let (_, end) = rest.split_once("[record]").unwrap();
    let (objects, ..) = by_map(TABLE.as_bytes(), &format!("{start}[record]{end}"));
    let red = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    assert!(objects.iter().all(|object| object.value()["object_marking_refs"][0] == red));
    assert_eq!(objects.len(), 3);
}

#[test]
fn a_header_that_does_not_fit_the_map_stops_the_import() {
    let (head, rows) = TABLE.split_once('\n').unwrap();
    for (head, reason) in [
        (head.replace("comment", "remark"), "no column `comment`"),
        (format!("{head};extra"), "says nothing of the column `extra`"),
        (head.replace("analyst", "comment"), "`comment` twice"),
        (head.replace(';', ","), "no column `id`"),
    ] {
        let (objects, _, ended) = by_map(format!("{head}\n{rows}").as_bytes(), MAP);
        let fatal = ended.unwrap_err();
        assert!(fatal.to_string().contains(reason), "{fatal}");
        assert!(objects.is_empty() && !fatal.cure.is_empty());
    }
    assert!(by_map(b"", MAP).2.unwrap_err().to_string().contains("empty"));
}

#[test]
fn limits_hold_and_name_the_place() {
    let head = TABLE.lines().next().unwrap();
    let long = "x".repeat(1024 * 1024 + 1);
    let lines = "\n".repeat(1_001);
    let table = format!(
        "{head}\nA;https://a.example;;;{long};\nB;https://b.example;;;\"{lines}\";\n\
                         C;https://c.example;;;;\n"
    );
    let (objects, bad, _) = by_map(table.as_bytes(), MAP);
    assert_eq!(objects.len(), 1, "the row behind them is taken");
    assert!(bad[0].contains("line 2 column 5 (`comment`)") && bad[0].contains("1048576 bytes"));
    assert!(bad[1].contains("1000 lines") && bad[1].contains("quote nobody closed"));
    let open = format!("{head}\nA;\"{}", "y".repeat(40 * 1024 * 1024));
    let fatal = by_map(open.as_bytes(), MAP).2.unwrap_err();
    assert!(fatal.to_string().contains("quote left open"), "{fatal}");
    let latin = [TABLE.as_bytes(), b"LAN-9;https://y.example;;;K\xF6ln;\n"].concat();
    let (_, bad, _) = by_map(&latin, MAP);
    assert!(bad.last().unwrap().contains("not UTF-8"), "{bad:?}");
}

#[test]
fn a_survey_guesses_and_what_it_cannot_tell_stays_open() {
    let table = "reference;Address;seen;later;amount;Name\n\
                 A-1;203.0.113.7;03/04/2025;13/04/2025;=1;Ada Venn\n\
                 A-2;203.0.113[.]8;05/06/2025;01/02/2025;2;Ivo Marsh\n";
    let found = survey(table.as_bytes(), false).unwrap();
    assert_eq!((found.delimiter, found.header, found.rows), (';', true, 2));
    let kinds: Vec<&str> = found.columns.iter().map(|guess| guess.kind.word()).collect();
    assert_eq!(kinds, ["text", "ip", "date", "date", "text", "name"]);
    assert_eq!(found.columns[2].dates.as_deref(), Some("?"));
    assert_eq!(found.columns[3].dates.as_deref(), Some("day-month-year"));
    assert!(found.columns[1].defanged && found.columns[4].formulas == 1);
    let map = write_map(&found, ("watch", "2025-07-01"), found.record(), &[]);
    let open = Map::parse(&map).unwrap_err().to_string();
    assert!(open.contains("leaves open how dates in `seen`"), "{open}");
    let settled = map.replace("dates = \"?\"", "dates = \"day-month-year\"");
    let (objects, bad, _) = by_map(table.as_bytes(), &settled);
    assert_eq!((objects.len(), bad.len()), (2, 0), "{bad:?}\n{settled}");
    assert_eq!(objects[1].text("pattern"), Some("[ipv4-addr:value = '203.0.113.8']"));
}

#[test]
fn an_own_table_comes_back_byte_for_byte_and_no_cell_is_a_formula() {
    let mut raws: Vec<String> = Vec::new();
    let (read, ..) = by_map(TABLE.as_bytes(), MAP);
    raws.extend(read.iter().map(|o| String::from_utf8(o.raw().to_vec()).unwrap()));
    let id = "9f1c6c1e-52c3-4b2a-9a55-1c1b7a0e2d11";
    raws.push(format!(
        "{{\"type\":\"identity\",\"spec_version\":\"2.1\",\n \"id\":\"identity--{id}\",\
         \"created\":\"2026-01-01T00:00:00Z\",\"modified\":\"2026-01-01T00:00:00Z\",\
         \"name\":\"=HYPERLINK(\\\"http://x\\\",1)\",\"description\":\"+a, \\\"b\\\"\"}}"
    ));
    let objects: Vec<_> = raws.iter().map(|r| StixObject::parse(r.as_bytes()).unwrap()).collect();
    let mut table = header();
    objects.iter().for_each(|object| table.extend(to_row(object, false)));
    let text = String::from_utf8(table.clone()).unwrap();
    assert!(text.contains("\"'=HYPERLINK(\"\"http://x\"\",1)\""), "{text}");
    assert!(text.starts_with(&(COLUMNS.join(",") + "\r\n")));
    let (back, bad, ended) = own(&table);
    assert!(bad.is_empty() && ended.is_ok(), "{bad:?}");
    assert_eq!(
        back.iter().map(|o| o.raw().to_vec()).collect::<Vec<_>>(),
        objects.iter().map(|o| o.raw().to_vec()).collect::<Vec<_>>()
    );
    let (_, bad, _) = own(text.replace("'=HYPERLINK", "'=HYPERLINQ").as_bytes());
    assert!(bad[0].contains("column 5 (`name`)") && bad[0].contains("changed"), "{bad:?}");
    let foreign = own(TABLE.as_bytes()).2.unwrap_err();
    assert!(foreign.to_string().contains("no map says") && foreign.cure.contains("entente map"));
}

#[test]
fn what_is_withheld_does_not_look_like_what_was_never_said() {
    let (objects, ..) = by_map(TABLE.as_bytes(), MAP);
    let cut = objects[0].withhold(&["/pattern", "/description"]).unwrap();
    let line = |object: &StixObject, redacted| String::from_utf8(to_row(object, redacted)).unwrap();
    let redacted = line(&cut, true);
    assert!(redacted.starts_with("redacted,indicator--"), "{redacted}");
    assert!(redacted.contains(&format!(",[withheld],{NOT_GIVEN},")), "{redacted}");
    assert!(!line(&objects[1], false).contains(NOT_GIVEN));
    assert_eq!(own(&[header(), to_row(&cut, true)].concat()).0.len(), 1);
}

proptest! {
    #[test]
    fn any_text_is_safe_and_comes_back(name in "\\PC{1,20}|[=+@\\-\t\r\n].{0,10}", redacted: bool) {
        prop_assume!(!name.trim().is_empty());
        let value = serde_json::json!({"type": "identity", "spec_version": "2.1",
            "id": "identity--9f1c6c1e-52c3-4b2a-9a55-1c1b7a0e2d11", "name": name,
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"});
        let object = StixObject::parse(value.to_string().as_bytes()).unwrap();
        let (back, bad, _) = own(&[header(), to_row(&object, redacted)].concat());
        prop_assert!(bad.is_empty(), "{bad:?}");
        prop_assert_eq!(back[0].raw(), object.raw());
        let said = safe(&name);
        prop_assert!(!said.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']));
    }

    #[test]
    fn no_table_and_no_map_breaks_anything(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let found = survey(&bytes, false);
        if let Ok(found) = found {
            let map = write_map(&found, ("a \"table\"", "2025-01-01"), found.record(), &[]);
            if let Ok(map) = Map::parse(&map) {
                let _ = gather(|visit| read(bytes.as_slice(), &map, visit));
            }
        }
        let _ = own(&bytes);
    }
}
