//! Lines of FollowTheMoney: none stops the reader, and what reads comes back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::ops::ControlFlow;

fuzz_target!(|bytes: &[u8]| {
    let read = wire::ftm::read(bytes, &mut |entity| {
        if let Ok(entity) = entity {
            let again = wire::ftm::Entity::parse(entity.to_line().as_bytes());
            assert_eq!(again.as_ref(), Ok(&entity));
        }
        ControlFlow::Continue(())
    });
    assert!(read.is_ok());
});
