//! What each column of GED says. Pure data.

/// The form of a column's cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    Text,
    Whole,
    /// Zero or more.
    Count,
    /// `type_of_violence`.
    Violence,
    /// Degrees up to this much either way.
    Degrees(f64),
    Date,
}

/// Where a column goes: a field and the key inside it. An empty field is the event's id.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Role {
    pub(super) field: &'static str,
    pub(super) key: &'static str,
    pub(super) form: Form,
}

const fn role(field: &'static str, key: &'static str, form: Form) -> Role {
    Role { field, key, form }
}

/// The role of a column, in the official layout or a trimmed one; nothing for any other column.
pub(super) fn role_of(column: &str) -> Option<Role> {
    use Form::{Count, Date, Degrees, Text, Violence, Whole};
    Some(match column {
        "id" => role("", "", Text),
        "type_of_violence" => role("what", "violence", Violence),
        "conflict_name" => role("what", "conflict", Text),
        "conflict_new_id" | "conflict_id" => role("what", "conflict_id", Whole),
        "dyad_name" => role("what", "dyad", Text),
        "dyad_new_id" => role("what", "dyad_id", Whole),
        "event_clarity" => role("what", "clarity", Whole),
        "country" => role("where", "country", Text),
        "iso3" => role("where", "iso3", Text),
        "country_id" => role("where", "country_id", Whole),
        "region" => role("where", "region", Text),
        "adm_1" => role("where", "adm_1", Text),
        "adm_2" => role("where", "adm_2", Text),
        "where_coordinates" => role("where", "place", Text),
        "where_description" => role("where", "description", Text),
        "where_prec" => role("where", "precision", Whole),
        "latitude" => role("where", "latitude", Degrees(90.0)),
        "longitude" => role("where", "longitude", Degrees(180.0)),
        "geom_wkt" => role("where", "geometry", Text),
        "priogrid_gid" => role("where", "priogrid_gid", Whole),
        "date_start" | "date" => role("when", "start", Date),
        "date_end" => role("when", "end", Date),
        "date_prec" => role("when", "precision", Whole),
        "year" => role("when", "year", Whole),
        "best" => role("event.deaths", "best", Count),
        "low" => role("event.deaths", "low", Count),
        "high" => role("event.deaths", "high", Count),
        "deaths_a" => role("event.deaths", "side_a", Count),
        "deaths_b" => role("event.deaths", "side_b", Count),
        "deaths_civilians" | "civilian_deaths" => role("event.deaths", "civilians", Count),
        "deaths_unknown" => role("event.deaths", "unknown", Count),
        "combatant_deaths" => role("event.deaths", "combatants", Count),
        "side_a" => role("event.actors", "side_a", Text),
        "side_a_new_id" => role("event.actors", "side_a_id", Whole),
        "side_b" => role("event.actors", "side_b", Text),
        "side_b_new_id" => role("event.actors", "side_b_id", Whole),
        "number_of_sources" => role("event.source", "count", Whole),
        "source_article" => role("event.source", "article", Text),
        "source_office" => role("event.source", "office", Text),
        "source_date" => role("event.source", "date", Text),
        "source_headline" => role("event.source", "headline", Text),
        "source_original" => role("event.source", "original", Text),
        _ => return None,
    })
}
