//! Everything that a person did, scored once more: by rules that are others now.

use crate::{
    app::App,
    cause::By,
    context::Context,
    engagement::{Counted, Counting, Engagement, Event, count, source},
    error::{Error, Result},
    id::{RecordId, TenantId},
    record::{Record, Region},
    settings::Settings,
    store::{Commit, Lost, Place},
    sync::{Pushes, Tenant},
};
use std::collections::{BTreeMap, BTreeSet};

/// How often a person who does something meanwhile is scored once more.
const ROUNDS: usize = 5;
/// Records of one read.
const PAGE: i32 = 500;

impl App {
    /// Scores everybody who ever did anything by the tenant's rules of now, and pushes what that changes; how many have another
    /// score. What is left after an error is done by doing it again.
    pub async fn rescore(&self, cx: &Context, tenant: &TenantId) -> Result<usize> {
        Ok(self.rescore_from(cx, tenant, (0, None), || true).await?.0)
    }

    /// The same, from some place on and for as long as there is time; where to go on, where that is not the end.
    pub async fn rescore_from(
        &self,
        cx: &Context,
        tenant: &TenantId,
        from: Place,
        has_time: impl Fn() -> bool,
    ) -> Result<(usize, Option<Place>)> {
        let Tenant { settings, region, .. } = Tenant::load(self, tenant).await?;
        let mut others = 0;
        let mut place = Some(from);
        while let Some(at) = place.take_if(|_| has_time()) {
            let (records, next) = self.store.walk(tenant, &at, PAGE).await?;
            let mut pushes = Pushes::default();
            let done = self.rescore_all(cx, &records, &settings, &region, &mut pushes).await;
            pushes.send(self, cx).await?;
            others += done?;
            place = next;
        }
        Ok((others, place))
    }

    async fn rescore_all(
        &self,
        cx: &Context,
        records: &[Record],
        settings: &Settings,
        region: &Region,
        pushes: &mut Pushes,
    ) -> Result<usize> {
        let mut others = 0;
        for record in records.iter().filter(|record| !record.engagement.is_empty() && record.merged_into.is_none()) {
            let scored = self.rescore_one(cx, record, settings, region).await?;
            others += usize::from(scored.engagement != record.engagement);
            // Also where it was scored before a crash, and nobody lived to tell.
            pushes.note(scored);
        }
        Ok(others)
    }

    /// The record with its score. Events are written first: what a crash leaves is done again.
    async fn rescore_one(&self, cx: &Context, record: &Record, settings: &Settings, region: &Region) -> Result<Record> {
        let mut record = record.clone();
        for _ in 0..ROUNDS {
            let had = self.store.scored(&record).await?;
            let told = self.did(&record).await?;
            let events: Vec<Event> = told.iter().map(|(_, counted)| counted.event.clone()).collect();
            let nothing = Engagement { merged: record.engagement.merged.clone(), ..Engagement::default() };
            let counting = count(&record, nothing, &events, BTreeSet::new(), settings, &source(), cx.now());
            // Also those that no rule names any more: one may name them again.
            let distinct: BTreeSet<_> = events.iter().map(Event::noted).collect();
            let engagement = Engagement { events: distinct.len() as u64, ..counting.engagement.clone() };
            self.store.rewrite(&record, &changed(&told, &counting), &counting.scored, &had).await?;
            let newer = self.store.record(&record.tenant, &record.id).await?;
            match newer {
                Some(newer) if newer.version != record.version => {
                    record = newer;
                    continue;
                }
                _ if engagement == record.engagement => return Ok(record),
                _ => {}
            }
            let by = By::Rules { what: "scored anew".to_owned() };
            let cause = cx.cause(by);
            let (fields, version) = (counting.fields, record.version + 1);
            let after = Record { fields, engagement, version, cause, ..record.clone() };
            match self.store.commit(&Commit::of(Some(&record), &after), region, cx.now()).await {
                Ok(()) => return Ok(after),
                Err(Lost::Failed(error)) => return Err(error),
                Err(_) => match self.store.record(&record.tenant, &record.id).await? {
                    Some(newer) => record = newer,
                    None => return Ok(record),
                },
            }
        }
        Err(Error::retryable("a person keeps moving while they are scored"))
    }

    /// Everything that a person did, also while they were two records: by the record under which it is kept.
    pub async fn did(&self, record: &Record) -> Result<Vec<(RecordId, Counted)>> {
        let mut all = Vec::new();
        for holder in record.engagement.merged.iter().chain([&record.id]) {
            let told = self.store.events(&record.tenant, holder).await?;
            all.extend(told.into_iter().map(|one| (holder.clone(), one)));
        }
        Ok(all)
    }
}

/// The events that add something else now. One that both of two merged records were told of adds under the first.
fn changed(told: &[(RecordId, Counted)], counting: &Counting) -> Vec<(RecordId, Counted)> {
    let mut scores: BTreeMap<_, _> =
        counting.counted.iter().map(|one| (one.event.noted(), &one.contributions)).collect();
    let anew = told.iter().map(|(holder, one)| {
        let contributions = scores.remove(&one.event.noted()).cloned().unwrap_or_default();
        (holder.clone(), Counted { contributions, ..one.clone() })
    });
    anew.zip(told).filter(|(anew, before)| anew != *before).map(|(anew, _)| anew).collect()
}
