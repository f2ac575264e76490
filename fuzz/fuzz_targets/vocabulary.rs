//! The `vocabulary` document: any bytes are read or refused, never more.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _outcome = wire::vocabulary::parse(bytes);
});
