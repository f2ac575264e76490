//! MISP's addresses: which call, of what. Pure.

/// A call this node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// The version spoken.
    Version,
    /// The version of PyMISP it goes with.
    ClientVersion,
    /// Who the key belongs to.
    Me,
    /// What a pull may be narrowed by.
    Rules,
    /// Whether a POST arrives.
    PostTest,
    /// The list of events.
    Index,
    /// A search for events.
    Events,
    /// One event.
    Event,
    /// A search for attributes.
    Attributes,
    /// A search for sightings.
    Sightings,
    /// Proposals.
    Proposals,
    /// One cluster.
    Cluster,
    /// A search for clusters.
    Clusters,
    /// Which events may be pushed.
    FilterEvents,
    /// A new event.
    Add,
    /// A new version of an event.
    Edit,
    /// Which sightings may be pushed.
    FilterSightings,
    /// New sightings.
    SaveSightings,
    /// A pushed cluster.
    PushCluster,
    /// Which analysts' notes may be pushed.
    AnalystFilter,
    /// The list of analysts' notes.
    AnalystIndex,
    /// A pushed analyst's note.
    PushAnalyst,
    /// None of these.
    Nothing,
}

impl Call {
    /// The methods it takes, as `Allow` names them.
    #[must_use]
    pub const fn methods(self) -> &'static str {
        match self {
            Self::Version | Self::ClientVersion | Self::Me | Self::Rules | Self::Cluster => "GET",
            Self::Event
            | Self::Index
            | Self::Proposals
            | Self::AnalystIndex
            | Self::AnalystFilter => "GET, POST",
            Self::PostTest
            | Self::Events
            | Self::Attributes
            | Self::Sightings
            | Self::Clusters
            | Self::FilterEvents
            | Self::Add
            | Self::Edit
            | Self::FilterSightings
            | Self::SaveSightings
            | Self::PushCluster
            | Self::PushAnalyst
            | Self::Nothing => "POST",
        }
    }
}

/// An address, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The call.
    pub call: Call,
    /// Its two words, without what is asked of it.
    pub route: String,
    /// The UUID it names, in lower case.
    pub id: Option<String>,
    /// Named parameters, such as `metadata:1`.
    pub named: Vec<(String, String)>,
}

impl Address {
    /// Reads a path. Parameters `name:value` may follow, as MISP's clients write them.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".json").unwrap_or(path);
        let (mut words, mut named) = (Vec::new(), Vec::new());
        for part in path.split('/') {
            match part.split_once(':') {
                Some((name, value)) if words.len() >= 2 => {
                    let name = name.replace("%5B", "[").replace("%5D", "]");
                    named.push((name, value.to_owned()));
                }
                Some(_) | None => words.push(part),
            }
        }
        let (call, id) = call(&words);
        let route = format!("/{}", words.get(..2).unwrap_or(&words).join("/"));
        let route = if call == Call::Nothing { "/".to_owned() } else { route };
        Self { call, route, id: id.map(str::to_ascii_lowercase), named }
    }

    /// Whether a named parameter is on.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.named.iter().any(|(known, value)| known == name && value == "1")
    }
}

fn call<'a>(words: &[&'a str]) -> (Call, Option<&'a str>) {
    let plain = match words {
        ["servers", "getVersion"] => Call::Version,
        ["servers", "getPyMISPVersion"] => Call::ClientVersion,
        ["users", "view", "me"] => Call::Me,
        ["servers", "getAvailableSyncFilteringRules"] => Call::Rules,
        ["servers", "postTest"] => Call::PostTest,
        ["events"] | ["events", "index"] => Call::Index,
        ["events", "restSearch"] => Call::Events,
        ["events", "filterEventIdsForPush"] => Call::FilterEvents,
        ["events", "add"] => Call::Add,
        ["attributes", "restSearch"] => Call::Attributes,
        ["sightings", "restSearch"] | ["sightings", "restSearch", "event"] => Call::Sightings,
        ["shadow_attributes"] | ["shadow_attributes", "index"] => Call::Proposals,
        ["galaxy_clusters", "restSearch"] => Call::Clusters,
        ["galaxies", "pushCluster"] => Call::PushCluster,
        ["analyst_data", "filterAnalystDataForPush"] => Call::AnalystFilter,
        ["analyst_data", "indexMinimal"] => Call::AnalystIndex,
        ["analyst_data", "pushAnalystData"] => Call::PushAnalyst,
        _ => Call::Nothing,
    };
    match words {
        ["events", "view", id] => (Call::Event, Some(id)),
        ["events", "edit", id] => (Call::Edit, Some(id)),
        ["galaxy_clusters", "view", id] => (Call::Cluster, Some(id)),
        ["sightings", "filterSightingUuidsForPush", id] => (Call::FilterSightings, Some(id)),
        ["sightings", "bulkSaveSightings", id] => (Call::SaveSightings, Some(id)),
        _ => (plain, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_misp_writes_them() {
        for (path, call, id) in [
            ("/servers/getVersion", Call::Version, None),
            ("/servers/getVersion.json", Call::Version, None),
            ("/users/view/me.json", Call::Me, None),
            ("/events/view/ABC", Call::Event, Some("abc")),
            ("/events/view/abc.json", Call::Event, Some("abc")),
            ("/events/view/abc/deleted[]:0/deleted[]:1/excludeGalaxy:1", Call::Event, Some("abc")),
            ("/events/add/metadata:1", Call::Add, None),
            ("/events/edit/abc/metadata:1", Call::Edit, Some("abc")),
            ("/sightings/restSearch/event", Call::Sightings, None),
            ("/events/delete/abc", Call::Nothing, None),
            ("/users/view/1", Call::Nothing, None),
        ] {
            let read = Address::of(path);
            assert_eq!((read.call, read.id.as_deref()), (call, id), "{path}");
            assert!(!read.route.contains("abc"), "{path}: {}", read.route);
        }
        assert!(Address::of("/events/add/metadata:1").is_on("metadata"));
        assert!(!Address::of("/events/add/metadata:0").is_on("metadata"));
    }
}
