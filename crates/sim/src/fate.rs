//! Looks at what becomes of messages and at notices to originators (checkers 9 and 10).

use crate::checkers::Checker;
use crate::rows::Rows;
use crate::watch::{Due, Watch};
use model::entry::EntryKind;
use model::ids::{AgencyId, Digest};
use model::release::ReleaseNotice;
use node::outbox::Outline;
use node::tables::{Table, parse};
use std::collections::BTreeSet;
use store::Snapshot;

impl Watch {
    /// Every release that obliges to it is told or owed in its own commit, and nothing else is.
    pub(crate) fn told(
        &mut self,
        (own, before): (&AgencyId, &dyn Snapshot),
        rows: &Rows,
        due: &BTreeSet<Due>,
    ) {
        let fresh: BTreeSet<Due> = rows.told.iter().chain(&rows.owed).flat_map(named).collect();
        let mut paid = BTreeSet::new();
        for key in &rows.paid {
            let Ok(Some(bytes)) = before.get(key) else { continue };
            if let Ok(notice) = parse::<ReleaseNotice>(&bytes, "notice") {
                paid.extend(named(&notice));
            }
        }
        for (originator, recipient, _, record) in due.difference(&fresh) {
            let text = format!("`{originator}` is not told that `{record}` went to `{recipient}`");
            self.blame(Checker::OriginatorTold, own, text);
        }
        let again: BTreeSet<Due> = fresh.difference(due).cloned().collect();
        for (originator, recipient, _, record) in again.difference(&paid) {
            // A notice given up and sent again is what it was.
            if !rows.logged.iter().any(|l| l.entry.kind == EntryKind::Undelivered) {
                let text = format!("`{originator}` is told that `{record}` went to `{recipient}`");
                self.blame(Checker::OriginatorTold, own, format!("{text}, without a release"));
            }
        }
        let more = u64::try_from(due.len()).unwrap_or(u64::MAX);
        self.counted.notices = self.counted.notices.saturating_add(more);
    }

    /// What leaves the outbox was answered or given up; what was given up and goes, goes again.
    pub(crate) fn fates(&mut self, (own, before): (&AgencyId, &dyn Snapshot), rows: &Rows) {
        let logged = |digest: &Digest, wanted: &[&str]| {
            rows.logged.iter().any(|l| {
                let is = |field: &str, text: &str| l.sealed.get(field).is_some_and(|v| v == text);
                l.entry.kind == EntryKind::Undelivered
                    && is("message", &digest.to_string())
                    && wanted.iter().any(|word| is("change", word))
            })
        };
        let (mut given_up, mut again) = (0_u64, 0_u64);
        let mut lost = Vec::new();
        for key in &rows.left {
            let Ok(Some(bytes)) = before.get(key) else { continue };
            let Ok(Outline { digest, recipient, .. }) = parse(&bytes, "outbox") else { continue };
            if rows.answered.contains(&digest) {
                continue;
            }
            let moved = rows.queued.contains(&digest);
            let waited = key.first() == Some(&(Table::Outbox as u8));
            let sound = if waited && moved {
                true
            } else if waited {
                given_up = given_up.saturating_add(1);
                rows.aside.contains(&digest) && logged(&digest, &["given up"])
            } else {
                again = again.saturating_add(1);
                let anew = rows.follow_ups > 0 && logged(&digest, &["offered anew"]);
                let sent = rows.queued.contains(&digest) && logged(&digest, &["sent again"]);
                anew || sent || logged(&digest, &["dropped: the record may be had again"])
            };
            if !sound {
                lost.push(format!("message {digest} for `{recipient}` vanished"));
            }
        }
        for text in lost {
            self.blame(Checker::NoMessageVanishes, own, text);
        }
        self.counted.given_up = self.counted.given_up.saturating_add(given_up);
        self.counted.again = self.counted.again.saturating_add(again);
    }
}

fn named(notice: &ReleaseNotice) -> Vec<Due> {
    let one = |record: &model::ids::RecordId| {
        let names = (notice.originator.clone(), notice.recipient.clone());
        (names.0, names.1, notice.purpose.clone(), record.clone())
    };
    notice.records.keys().map(one).collect()
}
