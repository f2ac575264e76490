//! Rows of what is refused, given up, sent again, and of what originators are told.

use crate::apply::Applier;
use crate::error::NodeError;
use crate::outbox::{self, Outline, Undelivered, Waiting, message_key};
use crate::peer::Message;
use crate::query::NoticeTaken;
use crate::tables::{self, Table, digest_key, instant, key, pair, put};
use model::ids::{AgencyId, Digest};
use model::release::ReleaseNotice;
use protocol::{DeliveryChange, GivenUp};

impl Applier<'_> {
    /// Messages, their answers, and what originators are told.
    pub(crate) fn deliver(&mut self, change: DeliveryChange) -> Result<(), NodeError> {
        match change {
            DeliveryChange::Answered { message, partner } => self.answered(&message, &partner),
            DeliveryChange::RecallTaken(receipt) => {
                let row = pair(Table::RecallTaken, &receipt.record, &receipt.holder);
                put(self.batch, row, "recall receipt", &receipt)?;
                self.answered(&receipt.notice, &receipt.holder)
            }
            DeliveryChange::ReceiptGiven(receipt) => {
                let row = digest_key(Table::ReceiptGiven, &receipt.manifest);
                put(self.batch, row, "receipt", &receipt)
            }
            DeliveryChange::ReceiptTaken(receipt) => {
                let row = digest_key(Table::ReceiptTaken, &receipt.manifest);
                put(self.batch, row, "receipt", &receipt)
            }
            DeliveryChange::Refusal { partner, message, refusals } => {
                let row = message_key(Table::Refusal, &partner, &message);
                put(self.batch, row, "refusal", &refusals)
            }
            DeliveryChange::GiveUp { partner, message, given_up } => {
                self.give_up((&partner, &message), given_up)
            }
            DeliveryChange::SendAgain { partner, message } => self.send_again(&partner, &message),
            DeliveryChange::Drop { partner, message } => {
                self.batch.delete(message_key(Table::Undelivered, &partner, &message));
                Ok(())
            }
            DeliveryChange::NoticeGiven(notice) => {
                self.batch.delete(notice_key(Table::NoticeOwed, &notice));
                put(self.batch, notice_key(Table::NoticeGiven, &notice), "notice", &notice)
            }
            DeliveryChange::NoticeOwed(notice) => {
                put(self.batch, notice_key(Table::NoticeOwed, &notice), "notice", &notice)
            }
            DeliveryChange::NoticeTaken { notice, document } => {
                let taken = NoticeTaken { taken_at: self.now, document, notice };
                let row = key(Table::NoticeTaken, &[&instant(self.now), &document.0]);
                put(self.batch, row, "notice", &taken)
            }
        }
    }

    fn give_up(
        &mut self,
        (partner, message): (&AgencyId, &Digest),
        given_up: GivenUp,
    ) -> Result<(), NodeError> {
        let Some(row) = outbox::row_of(self.snapshot, partner, message)? else { return Ok(()) };
        let waiting: Option<Waiting> = tables::read(self.snapshot, &row, "outbox")?;
        let Some(Waiting { recipient, digest, subject, queued_at, message: body }) = waiting else {
            return Err(NodeError::damaged("outbox", "a message is not in its place"));
        };
        let outline = Outline { recipient, digest, subject, queued_at };
        let kept = match body {
            Message::Shipment(_) => None,
            Message::Note(_) => Some(body),
        };
        let aside = Undelivered { outline, given_up, message: kept };
        self.leave(message, partner)?;
        let row = message_key(Table::Undelivered, partner, message);
        put(self.batch, row, "undelivered", &aside)?;
        let known: Option<u64> = tables::read(self.snapshot, &outbox::row_key(partner), "counter")?;
        let number = known.unwrap_or(0).saturating_add(1);
        put(self.batch, outbox::row_key(partner), "counter", &number)
    }

    fn send_again(&mut self, partner: &AgencyId, message: &Digest) -> Result<(), NodeError> {
        let row = message_key(Table::Undelivered, partner, message);
        let aside: Option<Undelivered> = tables::read(self.snapshot, &row, "undelivered")?;
        let Some(Undelivered { outline, message: Some(message), .. }) = aside else {
            return Err(NodeError::damaged("undelivered", "the message was not kept"));
        };
        let Outline { recipient, digest, subject, queued_at } = outline;
        self.batch.delete(row);
        self.queue(&Waiting { recipient, digest, subject, queued_at, message })
    }
}

fn notice_key(table: Table, notice: &ReleaseNotice) -> Vec<u8> {
    let record = notice.records.keys().next().map_or("", |record| record.as_str());
    let (originator, recipient) = (notice.originator.as_str(), notice.recipient.as_str());
    let parts = [originator, record, recipient].map(str::as_bytes);
    let [originator, record, recipient] = parts;
    let at = instant(notice.at);
    key(table, &[originator, record, recipient, &at, notice.purpose.as_bytes()])
}
