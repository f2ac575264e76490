//! One STIX object as bytes only: what is stored goes out as it is, and is read again only where
//! something must be cut out of it. Pure.

use super::object::StixObject;
use super::withhold::WithholdProblem;

/// The bytes of an object that was read and checked when it was stored.
///
/// WHY: most releases go whole; reading an object again to pass on its own bytes would cost more
/// than everything else of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawObject(Vec<u8>);

impl RawObject {
    /// Bytes that [`StixObject::parse`] accepted before they were stored. Not checked again here;
    /// what is cut out of them is.
    #[must_use]
    pub fn stored(raw: Vec<u8>) -> Self {
        Self(raw)
    }

    /// The bytes as the originator wrote them.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.0
    }
}

impl policy::release::Content for RawObject {
    type Error = WithholdProblem;

    fn size_bytes(&self) -> usize {
        self.raw().len()
    }

    fn without(&self, pointers: &[&str]) -> Result<Self, Self::Error> {
        if pointers.is_empty() {
            return Ok(self.clone());
        }
        let object = StixObject::parse(&self.0).map_err(WithholdProblem::Left)?;
        Ok(Self(object.withhold(pointers)?.into_raw()))
    }
}
