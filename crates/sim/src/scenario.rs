//! The verbs that stories and lives are told in: agree, sign, order, import, recall, permit.

use crate::SimError;
use crate::agreements::Pact;
use crate::checkers::Violation;
use crate::disk::lock;
use crate::liar::signed;
use crate::records::Sheet;
use crate::world::{Ran, World};
use model::custody::Custody;
use model::event::Event;
use model::ids::{AgencyId, RecordId};
use model::release::AgreementSignature;
use model::request::{Consent, Grounds, StandingOrder};
use node::{Handled, query};
use wire::document::DocumentKind;

impl World {
    /// The officers of a site adopt an agreement.
    ///
    /// # Errors
    /// The document has a problem, or the node failed.
    pub fn adopt(&mut self, site: usize, pact: &Pact) -> Result<Ran<Handled>, SimError> {
        let document = pact.document();
        let agreement = pact.agreement()?;
        if let Some(agency) = self.agency(site) {
            lock(&self.watch).truth.adopted(&agency, agreement.clone());
        }
        let event =
            Event::Agree { agreement: Box::new(agreement), document: document.into_bytes() };
        self.officer(site, event)
    }

    /// The officers of a site sign an agreement; couriers take the signature to the other parties.
    ///
    /// # Errors
    /// The document has a problem, or the node failed.
    pub fn sign(&mut self, site: usize, pact: &Pact) -> Result<(), SimError> {
        let agreement = pact.agreement()?;
        let identity = self.identity(site)?;
        let signature = AgreementSignature {
            agreement: agreement.id.clone(),
            version: agreement.version,
            digest: agreement.digest,
            party: identity.member.party.clone(),
            agency: identity.member.agency.clone(),
            at: self.clock.at(site),
        };
        lock(&self.watch).truth.signed(agreement.digest, identity.member.party.clone());
        self.officer(site, Event::Sign(signature.clone()))?;
        let text = signed(&identity, DocumentKind::AgreementSignature, &signature)?;
        for other in self.parties(pact).into_iter().filter(|other| *other != site) {
            self.courier(other, text.clone());
        }
        Ok(())
    }

    /// All parties adopt and sign, and every courier arrives.
    ///
    /// # Errors
    /// The document has a problem, or a node failed.
    pub fn conclude(&mut self, pact: &Pact) -> Result<(), SimError> {
        let sites = self.parties(pact);
        for site in &sites {
            self.adopt(*site, pact)?;
        }
        for site in &sites {
            self.sign(*site, pact)?;
        }
        for site in sites {
            while self.unpack(site)? {}
        }
        Ok(())
    }

    /// The sites whose agencies an agreement lists.
    #[must_use]
    pub fn parties(&self, pact: &Pact) -> Vec<usize> {
        let listed = |agency: &AgencyId| pact.parties.iter().any(|(_, list)| list.contains(agency));
        let all = self.agencies();
        all.iter().enumerate().filter(|(_, (a, _))| listed(a)).map(|(site, _)| site).collect()
    }

    /// A standing order from one site to another.
    #[must_use]
    pub fn order(&self, to: usize, purpose: &str) -> Option<StandingOrder> {
        let recipient = self.agency(to)?;
        Some(StandingOrder { recipient, purpose: purpose.to_owned(), grounds: Grounds::default() })
    }

    /// A site offers everything it has and will have to another.
    ///
    /// # Errors
    /// The node failed.
    pub fn offer_all(&mut self, site: usize, to: usize, purpose: &str) -> Result<(), SimError> {
        let Some(order) = self.order(to, purpose) else { return Ok(()) };
        self.officer(site, Event::Order(order)).map(|_| ())
    }

    /// An officer imports a record.
    ///
    /// # Errors
    /// The sheet makes no valid STIX, or the node failed.
    pub fn import(&mut self, site: usize, sheet: &Sheet) -> Result<Ran<Handled>, SimError> {
        let own = self.agency(site).ok_or_else(|| SimError::unusable("no such site"))?;
        let holding = sheet.holding(&own, self.clock.at(site))?;
        let version = holding.custody.version.clone();
        lock(&self.watch).truth.authored(&sheet.id, &own, &version);
        self.officer(site, Event::Ingest(vec![holding]))
    }

    /// An officer releases one record, of whichever originator, to another site.
    ///
    /// # Errors
    /// The node failed.
    pub fn share(
        &mut self,
        site: usize,
        record: &RecordId,
        order: &StandingOrder,
    ) -> Result<Ran<Handled>, SimError> {
        let (records, order) = (vec![record.clone()], order.clone());
        self.officer(site, Event::Share { records, order })
    }

    /// An originator's officer takes a record back.
    ///
    /// # Errors
    /// The node failed.
    pub fn recall(&mut self, site: usize, record: &RecordId) -> Result<Ran<Handled>, SimError> {
        let reason = "exercise".to_owned();
        self.officer(site, Event::Recall { record: record.clone(), reason })
    }

    /// An originator's officer permits a release by holders.
    ///
    /// # Errors
    /// The node failed.
    pub fn permit(&mut self, site: usize, consent: &Consent) -> Result<Ran<Handled>, SimError> {
        lock(&self.watch).truth.consented(consent.clone());
        self.officer(site, Event::Permit(consent.clone()))
    }

    /// An officer gives up the oldest message that waits.
    ///
    /// # Errors
    /// The node failed.
    pub fn give_up_oldest(&mut self, site: usize) -> Result<(), SimError> {
        let oldest = {
            let Some(place) = self.site(site) else { return Ok(()) };
            let snapshot = place.disk.durable().map_err(SimError::unusable)?;
            node::outbox::outlines(&*snapshot).map_err(SimError::unusable)?.into_iter().next()
        };
        let Some(outline) = oldest else { return Ok(()) };
        let (partner, message) = (outline.recipient, outline.digest);
        self.officer(site, Event::GiveUp { partner, message }).map(|_| ())
    }

    /// What was given up at a site.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn given_up(&self, site: usize) -> Result<Vec<node::outbox::Undelivered>, SimError> {
        let Some(place) = self.site(site) else { return Ok(Vec::new()) };
        let snapshot = place.disk.durable().map_err(SimError::unusable)?;
        node::outbox::undelivered(&*snapshot).map_err(SimError::unusable)
    }

    /// An officer has everything that was given up sent again; whether there was anything.
    ///
    /// # Errors
    /// The node failed.
    pub fn send_again(&mut self, site: usize) -> Result<bool, SimError> {
        let all = self.given_up(site)?;
        for aside in &all {
            let (partner, message) = (aside.outline.recipient.clone(), aside.outline.digest);
            self.officer(site, Event::Again { partner, message })?;
        }
        Ok(!all.is_empty())
    }

    /// Time passes for all; what is due is delivered, what waits is sent.
    ///
    /// # Errors
    /// A node failed.
    pub fn let_pass(&mut self, seconds: i64) -> Result<(), SimError> {
        for site in 0..self.count() {
            self.send(site, usize::MAX)?;
        }
        self.clock.pass(seconds);
        while self.deliver()? {}
        Ok(())
    }

    /// What a site holds of a record, newest version.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn held(&self, site: usize, record: &RecordId) -> Result<Vec<Custody>, SimError> {
        Ok(self.holdings(site)?.into_iter().filter(|custody| custody.id == *record).collect())
    }

    /// Everything a site holds.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn holdings(&self, site: usize) -> Result<Vec<Custody>, SimError> {
        let Some(place) = self.site(site) else { return Ok(Vec::new()) };
        let snapshot = place.disk.durable().map_err(SimError::unusable)?;
        let mut out = Vec::new();
        query::custodies(&*snapshot, &mut |custody| {
            out.push(custody);
            true
        })
        .map_err(SimError::unusable)?;
        Ok(out)
    }

    /// Heals, settles, checks the world at rest and hands over every violation found so far.
    ///
    /// # Errors
    /// A node failed.
    pub fn verdict(&mut self) -> Result<Vec<Violation>, SimError> {
        self.settle()?;
        self.at_rest()?;
        Ok(std::mem::take(&mut self.violations))
    }
}
