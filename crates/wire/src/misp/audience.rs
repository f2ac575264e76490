//! Who may have what MISP calls a distribution: nothing becomes wider than it was. Pure.
//!
//! 0 nobody but us; 1 the community, which is our own party unless the officer names others;
//! 2 partners under agreements, who may not pass it on; 3 what agreements allow; 4 the sharing
//! group as the officer mapped it, else nobody; 5 as the event or object it belongs to.
//! SOURCE: draft-dulaunoy-misp-core-format section 2.4.1.11 (distribution), 2.4.1.12 (groups).

use super::members::{flag, list, text, uuid, whole};
use model::ids::{AgencyId, PartyId};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Why a map of audiences is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AudienceProblem {
    /// Not TOML, or keys that mean nothing here.
    #[error("the map of audiences cannot be read: {0}")]
    Form(String),
    /// Parties and agencies for one audience.
    #[error("the audience `{0}` names parties and agencies")]
    Both(String),
    /// A sharing group or organisation not named by its UUID.
    #[error("`{0}` is not the UUID of a sharing group or organisation")]
    Uuid(String),
}

impl AudienceProblem {
    /// How to cure it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Form(_) => "see docs/reference/formats.md for the keys of the map",
            Self::Both(_) => "name either the parties or the agencies; the rest is no audience",
            Self::Uuid(_) => "take the UUID from the group's or organisation's page in MISP",
        }
    }
}

/// The parties or the agencies of one audience; none is nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Named {
    /// Whole parties.
    pub parties: BTreeSet<PartyId>,
    /// Single agencies.
    pub agencies: BTreeSet<AgencyId>,
}

/// What the officer says MISP's audiences are here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audiences {
    /// The importing party; "this community" without another word.
    #[serde(skip)]
    pub own: Option<PartyId>,
    /// Who "this community" is (distribution 1).
    pub community: Option<Named>,
    /// Sharing groups by their UUID (distribution 4).
    pub group: BTreeMap<String, Named>,
    /// Organisations by their UUID, for groups that list their members.
    pub organisation: BTreeMap<String, AgencyId>,
}

impl Audiences {
    /// Reads the officer's map (TOML).
    ///
    /// # Errors
    /// The first departure from the form.
    pub fn parse(document: &str) -> Result<Self, AudienceProblem> {
        let mut read: Self =
            toml::from_str(document).map_err(|e| AudienceProblem::Form(e.message().to_owned()))?;
        let named = read.group.iter().map(|(name, named)| (name.as_str(), named));
        for (name, named) in named.chain(read.community.iter().map(|named| ("community", named))) {
            if !named.parties.is_empty() && !named.agencies.is_empty() {
                return Err(AudienceProblem::Both(name.to_owned()));
            }
        }
        read.group = by_uuid(read.group)?;
        read.organisation = by_uuid(read.organisation)?;
        Ok(read)
    }

    /// The reach of one part of an event, by its own word only.
    pub(super) fn reach(&self, map: &Map<String, Value>) -> Reach {
        let stated = map.get("distribution").filter(|value| !value.is_null());
        match (stated, whole(map, "distribution")) {
            (None, _) | (Some(_), Some(3 | 5)) => Reach::default(),
            (Some(_), Some(1)) => match (&self.community, &self.own) {
                (Some(named), _) => Reach::named(named),
                (None, Some(own)) => Reach::parties([own.clone()].into()),
                (None, None) => Reach::nobody(),
            },
            (Some(_), Some(2)) => Reach { no_onward: true, ..Reach::default() },
            (Some(_), Some(4)) => self.group_reach(map.get("SharingGroup")),
            (Some(_), Some(_) | None) => Reach::nobody(),
        }
    }

    /// The reach of an event, which has nothing to inherit from.
    pub(super) fn event_reach(&self, map: &Map<String, Value>) -> Reach {
        match whole(map, "distribution") {
            Some(5) => Reach::nobody(),
            Some(_) | None => self.reach(map),
        }
    }

    /// INVARIANT: a group nobody mapped, an inactive group and a group without members we know
    /// reach nobody.
    fn group_reach(&self, group: Option<&Value>) -> Reach {
        let Some(group) = group.and_then(Value::as_object) else { return Reach::nobody() };
        if group.contains_key("active") && !flag(group, "active") {
            return Reach::nobody();
        }
        let id = text(group, "uuid").and_then(|id| uuid(&id));
        if let Some(named) = id.and_then(|id| self.group.get(&id)) {
            return Reach::named(named);
        }
        let members = list(group, "SharingGroupOrg").iter().filter_map(|member| {
            let organisation = member.get("Organisation").unwrap_or(member);
            let id = uuid(organisation.get("uuid")?.as_str()?)?;
            self.organisation.get(&id).cloned()
        });
        Reach::agencies(members.collect())
    }
}

fn by_uuid<T>(map: BTreeMap<String, T>) -> Result<BTreeMap<String, T>, AudienceProblem> {
    map.into_iter()
        .map(|(name, value)| match uuid(&name) {
            Some(id) => Ok((id, value)),
            None => Err(AudienceProblem::Uuid(name)),
        })
        .collect()
}

/// Who may have something; what is absent was not restricted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) parties: Option<BTreeSet<PartyId>>,
    pub(super) agencies: Option<BTreeSet<AgencyId>>,
    pub(super) no_onward: bool,
}

impl Reach {
    fn parties(parties: BTreeSet<PartyId>) -> Self {
        Self { parties: Some(parties), ..Self::default() }
    }

    fn agencies(agencies: BTreeSet<AgencyId>) -> Self {
        if agencies.is_empty() {
            return Self::nobody();
        }
        Self { agencies: Some(agencies), ..Self::default() }
    }

    fn named(named: &Named) -> Self {
        if named.agencies.is_empty() {
            return Self::parties(named.parties.clone());
        }
        Self::agencies(named.agencies.clone())
    }

    pub(super) fn nobody() -> Self {
        Self::parties(BTreeSet::new())
    }

    /// Whether nobody is left.
    pub(super) fn is_nobody(&self) -> bool {
        self.parties.as_ref().is_some_and(BTreeSet::is_empty)
            || self.agencies.as_ref().is_some_and(BTreeSet::is_empty)
    }

    /// Only those in both.
    #[must_use]
    pub(super) fn and(&self, other: &Self) -> Self {
        Self {
            parties: both(self.parties.as_ref(), other.parties.as_ref()),
            agencies: both(self.agencies.as_ref(), other.agencies.as_ref()),
            no_onward: self.no_onward || other.no_onward,
        }
    }
}

fn both<T: Ord + Clone>(a: Option<&BTreeSet<T>>, b: Option<&BTreeSet<T>>) -> Option<BTreeSet<T>> {
    match (a, b) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (Some(a), Some(b)) => Some(a.intersection(b).cloned().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const GROUP: &str = "6f1c6c1e-52c3-4b2a-9a55-1c1b7a0e2d11";

    fn reach(audiences: &Audiences, value: &Value) -> Reach {
        audiences.reach(value.as_object().unwrap())
    }

    #[test]
    fn nothing_becomes_wider() {
        let own = Audiences { own: Some("XA".parse().unwrap()), ..Audiences::default() };
        assert!(reach(&own, &json!({"distribution": "0"})).is_nobody());
        let community = reach(&own, &json!({"distribution": 1}));
        assert_eq!(community.parties, Some(["XA".parse().unwrap()].into()));
        assert!(reach(&own, &json!({"distribution": "2"})).no_onward);
        assert_eq!(reach(&own, &json!({"distribution": "3"})), Reach::default());
        for unknown in [json!("4"), json!("6"), json!("x"), json!(true), json!(-1)] {
            assert!(reach(&own, &json!({"distribution": unknown})).is_nobody(), "{unknown}");
        }
        assert!(own.event_reach(json!({"distribution": 5}).as_object().unwrap()).is_nobody());
    }

    #[test]
    fn a_group_reaches_only_whom_the_officer_mapped() {
        let event = json!({"distribution": "4", "SharingGroup": {"uuid": GROUP, "SharingGroupOrg":
            [{"Organisation": {"uuid": "5e5e5e5e-0000-4000-8000-000000000001"}}]}});
        assert!(reach(&Audiences::default(), &event).is_nobody());
        let map = format!("[group.{GROUP}]\nparties = [\"XB\"]");
        let mapped = Audiences::parse(&map).unwrap();
        assert_eq!(reach(&mapped, &event).parties, Some(["XB".parse().unwrap()].into()));
        let map = "[organisation]\n5E5E5E5E-0000-4000-8000-000000000001 = \"xb.police.ct\"";
        let agencies = reach(&Audiences::parse(map).unwrap(), &event).agencies;
        assert_eq!(agencies, Some(["xb.police.ct".parse().unwrap()].into()));
        let both = "[community]\nparties = [\"XB\"]\nagencies = [\"xb.police.ct\"]";
        assert!(matches!(Audiences::parse(both), Err(AudienceProblem::Both(_))));
        assert!(matches!(Audiences::parse("[group.x]"), Err(AudienceProblem::Uuid(_))));
    }
}
