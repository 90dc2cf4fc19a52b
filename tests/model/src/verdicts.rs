//! What the product's own planner makes of a step, in the model's terms. As in `sync/looker.rs` and `push/settle.rs` of the product.

use crate::{
    item::{Item, Items, Record, word},
    memo::Memo,
    protocol::Protocol,
    world::*,
};
use shared::{
    change::{Hinted, Tells},
    planner::{
        Absorbed, Change, Freshness, Shown, Taken, absorb, freshness, pending, read_back, settle, tells_nothing_new,
    },
    record::{Link, Written},
};

/// What becomes of a look.
#[derive(Clone, Copy)]
pub enum Judged {
    /// Nothing is new: the record stands as it is.
    Stands,
    Again,
    Changes(Item),
}

/// What a CRM lacks, by field, once what it shows is absorbed.
pub type Lacks = [Option<Word>; FIELDS];

/// What is to be stored of a push.
#[derive(Clone, Copy)]
pub struct Settled {
    /// The record after it; `None` where nothing changes.
    pub after: Option<Item>,
    /// The hub changes too, not the link alone.
    pub hub: bool,
    /// The CRM showed an edit that is not taken over here: it is to be looked at.
    pub look: bool,
}

/// A push: the record as it was read, the CRM, what that showed, the write, and the record as somebody else left it.
pub type Pushed = (Item, usize, Sight, Option<Sent>, Option<Item>);

#[derive(Default)]
pub struct Verdicts {
    items: Items,
    judged: Memo<(Item, usize, Option<bool>, Sight), Judged>,
    lacks: Memo<(Item, usize, Sight), Option<Lacks>>,
    settled: Memo<Pushed, Settled>,
    echoes: Memo<(Item, usize, (usize, Word)), bool>,
}

impl Protocol {
    /// Whether a delivery tells what was agreed already.
    pub(crate) fn is_echo(&self, item: Item, crm: usize, told: (usize, Word)) -> bool {
        self.verdicts.echoes.ask((item, crm, told), |(_, _, (field, word))| {
            let tells = Tells::field(REMOTE[*field], value(*word).as_ref());
            let hint = Hinted::telling(self.remotes[crm].clone(), Some(tells));
            tells_nothing_new(&item.links[crm], &hint, &self.mapping)
        })
    }

    /// A look, `taken` when the link was at that revision, against the record as it is read then.
    pub(crate) fn judged(&self, item: Item, crm: usize, taken: Option<u64>, sight: Sight) -> Judged {
        let stands = taken.map(|rev| rev == item.rev(crm));
        self.verdicts.judged.ask((item, crm, stands, sight), |_| {
            let (link, seen) = (&item.links[crm], sight.seen(self.size.fields));
            let taken = stands.map_or(Taken::Sometime, |stands| Taken::After { rev: u64::from(!stands) });
            match freshness(link, &seen, taken, &self.mapping) {
                Freshness::Drop => return Judged::Stands,
                Freshness::FetchAgain => return Judged::Again,
                Freshness::Absorb => {}
            }
            let absorbed = self.absorbed(item, crm, sight);
            // A newer time alone is not stored.
            let same = Link { modified: link.modified, rev: 0, ..absorbed.link.clone() };
            if item.hub == absorbed.hub && *link == same {
                return Judged::Stands;
            }
            let mut after = Record { hub: absorbed.hub, ..Record::clone(&item) };
            after.links[crm] = Link { rev: 0, ..absorbed.link };
            Judged::Changes(self.item(after))
        })
    }

    /// What a push has to send; `None` if the CRM shows an older state than is known, so that it comes later.
    pub(crate) fn lacks(&self, item: Item, crm: usize, sight: Sight) -> Option<Lacks> {
        self.verdicts.lacks.ask((item, crm, sight), |_| {
            let link = &item.links[crm];
            let taken = Taken::After { rev: 0 };
            let fresh = freshness(link, &sight.seen(self.size.fields), taken, &self.mapping) == Freshness::Absorb;
            let changes = fresh.then(|| self.changes(&self.absorbed(item, crm, sight)))?;
            let sent = |field: &str| Some(word(changes.iter().find(|change| change.field == field)?.value.as_ref()));
            Some(REMOTE.map(sent))
        })
    }

    /// What a push is to store. On top of a newer record only what was sent counts; nothing is sent again.
    pub(crate) fn settled(&self, pushed: Pushed) -> Settled {
        self.verdicts.settled.ask(pushed, |(item, crm, sight, sent, newer)| {
            let (crm, before) = (*crm, newer.as_ref().unwrap_or(item));
            let had = &before.links[crm];
            let absorbed = self.absorbed(*item, crm, *sight);
            let changes = self.changes(&absorbed);
            let mut after = Record::clone(before);
            let link = match (sent, newer) {
                (None, Some(_)) => had.clone(),
                (None, None) => {
                    after.hub = absorbed.hub.clone();
                    absorbed.link
                }
                (Some(sent), Some(_)) => settle(had, &changes, &self.back(sent), shown(crm, sent)),
                (Some(sent), None) => {
                    let (seen, judge) = (self.back(sent), self.judge(crm));
                    let (hub, link) = (&absorbed.hub, &absorbed.link);
                    let read = read_back(hub, link, &changes, &seen, shown(crm, sent), &self.mapping, judge);
                    after.hub = read.hub;
                    read.link
                }
            };
            let raced = |sent: &Sent| !echoes(crm) && sent.back.is_some_and(|back| back.modified > sent.at);
            let look = newer.is_some() && (absorbed.hub != item.hub || sent.as_ref().is_some_and(raced));
            let hub = after.hub != before.hub;
            if !hub && (Link { rev: 0, modified: had.modified, ..link.clone() }) == *had {
                return Settled { after: None, hub, look };
            }
            after.links[crm] = Link { rev: 0, ..link };
            Settled { after: Some(self.item(after)), hub, look }
        })
    }

    /// The record with what the product says, unless it has said something later.
    pub(crate) fn asked(&self, item: Item, field: usize, word: Word, at: u8) -> Item {
        let mut after = Record::clone(&item);
        let written = Written::new(value(word), time(at), &self.product);
        if written.is_news_to(after.hub.written(HUB[field])) {
            after.hub.write(HUB[field], written).unwrap();
        }
        self.item(after)
    }

    pub(crate) fn item(&self, record: Record) -> Item {
        self.verdicts.items.get(record, &self.mapping)
    }

    fn absorbed(&self, item: Item, crm: usize, sight: Sight) -> Absorbed {
        absorb(&item.hub, &item.links[crm], &sight.seen(self.size.fields), &self.mapping, self.judge(crm))
    }

    fn changes(&self, absorbed: &Absorbed) -> Vec<Change> {
        pending(&absorbed.hub, &absorbed.link, &self.mapping)
    }

    fn back(&self, sent: &Sent) -> shared::planner::Seen {
        sent.back.map(|back| back.seen(self.size.fields)).unwrap_or_default()
    }
}

fn shown(crm: usize, sent: &Sent) -> Shown {
    if echoes(crm) { Shown::Echoed } else { Shown::After(Some(time(sent.at))) }
}
