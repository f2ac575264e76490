//! STIX 2.1 (and 2.0) in: objects as their own bytes, and the view the rules see. Pure.
//!
//! What is stored is always one STIX object, byte for byte as its originator wrote it; everything
//! else here is read from it. Policy reads the view and knows nothing of the format.
//! SOURCE: OASIS STIX 2.1 (10 June 2021), STIX 2.0; FIRST TLP 2.0.

mod bundle;
mod check;
pub mod convert;
mod extension;
mod fields;
mod gate;
mod intake;
mod marks;
mod object;
pub mod observable;
pub mod pattern;
mod raw;
mod shapes;
pub(crate) mod source;
mod upgrade;
pub mod values;
mod view;
mod withhold;

pub use bundle::{read, read_bundle};
pub use extension::EXTENSION_ID;
pub use fields::{FRAME_PROPERTIES, KNOWN_FIELDS, KnownField};
pub use intake::{Fatal, Item, Place, Rejected, Summary};
pub use marks::{KnownMarkings, Marking, Markings, Terms, built_in_tlp};
pub use object::{ObjectProblem, SpecVersion, StixObject};
pub use raw::RawObject;
pub use upgrade::{UpgradeProblem, upgrade};
pub use view::{ViewProblem, view};
pub use withhold::{WITHHELD, WithholdProblem};

pub(crate) use intake::Tally;
