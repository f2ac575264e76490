//! Tables and maps: whatever comes in, what comes out is counted, and an own table reads back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::ops::ControlFlow;
use wire::csv::{Map, header, read, read_own, survey, to_row, write_map};
use wire::stix::Item;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Map::parse(text);
    }
    let _ = read_own(bytes, &mut |_| ControlFlow::Continue(()));
    let Ok(found) = survey(bytes, false) else { return };
    let map = write_map(&found, ("table", "2025-01-01"), found.record(), &[]);
    let settled = map.replace("dates = \"?\"", "dates = \"day-month-year\"");
    let settled = settled.replace("zone = \"?\"", "zone = \"Z\"");
    let Ok(map) = Map::parse(&settled) else { return };
    let (mut objects, mut rejected) = (Vec::new(), 0_u64);
    let outcome = read(bytes, &map, &mut |item| {
        match item {
            Item::Object(object) => objects.push(*object),
            Item::Rejected(bad) => {
                assert!(bad.place.line >= 1 && !bad.reason.is_empty() && !bad.cure.is_empty());
                rejected += 1;
            }
        }
        ControlFlow::Continue(())
    });
    let summary = outcome.unwrap_or_else(|fatal| *fatal.summary);
    assert_eq!((summary.accepted, summary.rejected), (objects.len() as u64, rejected));
    let mut table = header();
    objects.iter().for_each(|object| table.extend(to_row(object, false)));
    let mut back = Vec::new();
    let ended = read_own(table.as_slice(), &mut |item| {
        match item {
            Item::Object(object) => back.push(*object),
            Item::Rejected(bad) => panic!("{bad}"),
        }
        ControlFlow::Continue(())
    });
    assert!(ended.is_ok());
    assert_eq!(back, objects);
});
