//! Signed documents: any bytes are read or refused, and what was read names itself by its digest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::document::Unverified;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = Unverified::parse(bytes) {
        let again = Unverified::parse(bytes).expect("it was read before");
        assert_eq!(document.digest(), again.digest());
    }
});
