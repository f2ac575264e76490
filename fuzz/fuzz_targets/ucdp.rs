//! The `ucdp` importer: whatever comes in, every object that comes out is valid and counted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::ops::ControlFlow;
use wire::stix::Item;

fuzz_target!(|bytes: &[u8]| {
    let mut count: u64 = 0;
    let outcome = wire::ucdp::read(bytes, &mut |item| {
        count += 1;
        if let Item::Rejected(rejected) = item {
            assert!(rejected.place.line >= 1 && !rejected.reason.is_empty());
        }
        ControlFlow::Continue(())
    });
    let summary = outcome.unwrap_or_else(|fatal| *fatal.summary);
    assert_eq!(summary.accepted + summary.rejected, count);
});
