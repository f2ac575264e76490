//! Records read by a local officer are stored, logged and queued for the standing orders. Pure.

use crate::change::RecordChange;
use crate::denial::Denial;
use crate::effects::{Effects, Reply};
use crate::facts::Facts;
use crate::share;
use model::custody::{Custody, Deletion, Holding, Source, version_order};
use model::entry::{Draft, EntryKind};
use model::ids::{Digest, RecordId};
use std::collections::{BTreeMap, BTreeSet};

/// LIMIT: records in one step; a longer file comes in portions.
pub const PORTION_MAX: usize = 1_000;

enum Verdict {
    Newest,
    Earlier,
    Unchanged,
    Refuse(String),
}

/// What of some holdings is new.
pub(crate) struct Sifted<B> {
    /// The changes that store it.
    pub effects: Effects<B>,
    /// The ids stored, each once, in order.
    pub stored: Vec<RecordId>,
    /// How many versions are stored.
    pub count: u64,
    /// How many were held already.
    pub unchanged: u64,
    /// Not taken, with the reason.
    pub refused: Vec<(RecordId, String)>,
    /// Format and officer of what came from a file.
    origin: (String, String),
}

/// Sifts what is new from what is held; a recalled id does not come back.
pub(crate) fn sift<F: Facts>(
    facts: &F,
    holdings: Vec<Holding<F::Body>>,
) -> Result<Sifted<F::Body>, Denial> {
    let mut effects = Effects::default();
    let (mut stored, mut unchanged, mut refused) = (Vec::new(), 0_u64, Vec::new());
    let repeated = repeated(&holdings);
    let mut seen = BTreeMap::new();
    let mut origin = (String::new(), String::new());
    for mut holding in holdings {
        match judge(facts, &mut holding.custody, &seen)? {
            Verdict::Unchanged => unchanged = unchanged.saturating_add(1),
            Verdict::Refuse(reason) => refused.push((holding.custody.id.clone(), reason)),
            verdict @ (Verdict::Newest | Verdict::Earlier) => {
                let custody = &holding.custody;
                if let Source::Import { format, officer } = &custody.source {
                    origin = (format.clone(), officer.clone());
                }
                stored.push(custody.id.clone());
                let holding = Box::new(holding);
                if let Verdict::Newest = verdict {
                    let custody = &holding.custody;
                    if repeated.contains(&custody.id) {
                        seen.insert(custody.id.clone(), (custody.version.clone(), custody.content));
                    }
                    effects.change(RecordChange::Hold(holding));
                } else {
                    effects.change(RecordChange::HoldEarlier(holding));
                }
            }
        }
    }
    let count = u64::try_from(effects.changes.len()).unwrap_or(u64::MAX);
    stored.sort_unstable();
    stored.dedup();
    Ok(Sifted { effects, stored, count, unchanged, refused, origin })
}

/// Stores what is new; a recalled id does not come back; the same content changes nothing.
pub(crate) fn ingest<F: Facts>(
    facts: &F,
    holdings: Vec<Holding<F::Body>>,
) -> Result<Effects<F::Body>, Denial> {
    if holdings.len() > PORTION_MAX {
        return Err(Denial::officer(
            "portion_too_large",
            format!("{} records in one portion, the limit is {PORTION_MAX}", holdings.len()),
            "send the records in smaller portions",
        ));
    }
    let orders = facts.orders()?;
    let sifted = sift(facts, holdings)?;
    let (mut effects, stored, count) = (sifted.effects, sifted.stored, sifted.count);
    if count > 0 {
        let ids: Vec<&str> = stored.iter().map(RecordId::as_str).collect();
        let entry = Draft::new(EntryKind::Import, count)
            .seal("format", sifted.origin.0)
            .seal("officer", sifted.origin.1)
            .seal("records", ids.join(" "));
        effects.entries.push(entry);
    }
    effects.then = orders.iter().flat_map(|order| share::in_portions(&stored, order)).collect();
    let (unchanged, refused) = (sifted.unchanged, sifted.refused);
    effects.reply = Reply::Ingested { stored: count, unchanged, refused };
    Ok(effects)
}

/// The ids that occur more than once; in the usual portion none does.
fn repeated<B>(holdings: &[Holding<B>]) -> BTreeSet<RecordId> {
    let mut ids: Vec<&RecordId> = holdings.iter().map(|holding| &holding.custody.id).collect();
    ids.sort_unstable();
    let twice = |pair: &[&RecordId]| match pair {
        [one, other] if one == other => Some((*one).clone()),
        _ => None,
    };
    ids.windows(2).filter_map(twice).collect()
}

fn judge<F: Facts>(
    facts: &F,
    custody: &mut Custody,
    seen: &BTreeMap<RecordId, (String, Digest)>,
) -> Result<Verdict, Denial> {
    if let Some(tombstone) = facts.tombstone(&custody.id, &custody.originator)?
        && tombstone.cause == Deletion::Recalled
    {
        return Ok(Verdict::Refuse(format!("recalled at {}; it may not come back", tombstone.at)));
    }
    let known = match seen.get(&custody.id) {
        Some(known) => Some(known.clone()),
        None => facts.custody(&custody.id, &custody.originator)?.map(|c| (c.version, c.content)),
    };
    let Some((version, content)) = known else { return Ok(Verdict::Newest) };
    if content == custody.content {
        return Ok(Verdict::Unchanged);
    }
    let same = stem(&version) == custody.version;
    for held in [custody.version.clone(), variant(custody)] {
        let digest = facts.version(&custody.id, &custody.originator, &held)?;
        if digest == Some(custody.content) {
            return Ok(Verdict::Unchanged);
        }
    }
    if same {
        // WHY: two sources may write one version differently; both are kept, nothing is lost.
        custody.version = variant(custody);
        return Ok(Verdict::Newest);
    }
    let earlier = version_order(&custody.version, stem(&version)).is_lt();
    Ok(if earlier { Verdict::Earlier } else { Verdict::Newest })
}

/// A version without the mark of a differing copy.
pub(crate) fn stem(version: &str) -> &str {
    version.split_once('~').map_or(version, |(stem, _)| stem)
}

/// The version of a copy that differs from the one held: told apart by its content.
pub(crate) fn variant(custody: &Custody) -> String {
    let digest = custody.content.hex();
    let short: String = digest.chars().take(16).collect();
    format!("{}~{short}", stem(&custody.version))
}
