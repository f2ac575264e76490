//! What an address names. Pure. SOURCE: TAXII 2.1 section 3.1; the last slash may be left out.

use crate::http::unescaped;

/// What an address names below an API root.
#[derive(Debug, PartialEq, Eq)]
pub enum What {
    /// `/taxii2/`
    Discovery,
    /// `/{root}/`
    Root,
    /// `/{root}/status/{id}/`
    Status(String),
    /// `/{root}/collections/`
    Collections,
    /// `/{root}/collections/{id}/`
    Collection(String),
    /// `/{root}/collections/{id}/manifest/`
    Manifest(String),
    /// `/{root}/collections/{id}/objects/`
    Objects(String),
    /// `/{root}/collections/{id}/objects/{object}/`
    Object(String, String),
    /// `/{root}/collections/{id}/objects/{object}/versions/`
    Versions(String, String),
    /// No address of TAXII.
    Nothing,
}

impl What {
    /// The methods it takes, as the header `allow` says them.
    #[must_use]
    pub fn methods(&self) -> &'static str {
        match self {
            Self::Objects(_) => "GET, HEAD, OPTIONS, POST",
            Self::Object(..) => "GET, HEAD, OPTIONS, DELETE",
            Self::Discovery
            | Self::Root
            | Self::Status(_)
            | Self::Collections
            | Self::Collection(_)
            | Self::Manifest(_)
            | Self::Versions(..)
            | Self::Nothing => "GET, HEAD, OPTIONS",
        }
    }
}

/// An address taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Resource {
    /// The API root, without slashes at its ends.
    pub root: String,
    /// What it names there.
    pub what: What,
}

impl Resource {
    /// Takes a path apart; percent escapes are resolved part by part.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let parts: Option<Vec<String>> =
            path.split('/').filter(|part| !part.is_empty()).map(unescaped).collect();
        let parts = parts.unwrap_or_default();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let turn = parts.iter().position(|part| matches!(*part, "collections" | "status"));
        let (root, rest) = parts.split_at_checked(turn.unwrap_or(parts.len())).unwrap_or_default();
        let own = |part: &str| part.to_owned();
        let what = match (root, rest) {
            ([], _) => What::Nothing,
            (["taxii2"], []) => What::Discovery,
            (_, []) => What::Root,
            (_, ["status", id]) => What::Status(own(id)),
            (_, ["collections"]) => What::Collections,
            (_, ["collections", id]) => What::Collection(own(id)),
            (_, ["collections", id, "manifest"]) => What::Manifest(own(id)),
            (_, ["collections", id, "objects"]) => What::Objects(own(id)),
            (_, ["collections", id, "objects", object]) => What::Object(own(id), own(object)),
            (_, ["collections", id, "objects", object, "versions"]) => {
                What::Versions(own(id), own(object))
            }
            (_, _) => What::Nothing,
        };
        Self { root: root.join("/"), what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_resources_with_and_without_the_last_slash() {
        let named = |root: &str, what| Resource { root: root.to_owned(), what };
        assert_eq!(Resource::of("/taxii2").what, What::Discovery);
        assert_eq!(Resource::of("/taxii2/").what, What::Discovery);
        assert_eq!(Resource::of("/taxii2/api/"), named("taxii2/api", What::Root));
        assert_eq!(Resource::of("/a/collections"), named("a", What::Collections));
        let status = named("a", What::Status("7".into()));
        assert_eq!(Resource::of("/a/status/7/"), status);
        let one = What::Object("c".into(), "file--1".into());
        assert_eq!(Resource::of("/a/b/collections/c/objects/file%2D-1"), named("a/b", one));
        for path in ["/", "/a/collections/c/x/", "/a/status/", "/collections/", "/%zz/"] {
            assert_eq!(Resource::of(path).what, What::Nothing, "{path}");
        }
    }
}
