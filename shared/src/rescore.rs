//! Everything that a person did, scored once more: by rules that are others now.

use crate::{
    app::App,
    cause::{By, Cause},
    context::Context,
    engagement::{Counted, Engagement, Event, Scoring, count},
    error::{Error, Result},
    id::{RecordId, TenantId},
    record::{Record, Region},
    store::{Commit, Lost, keys::RECORD_SHARDS},
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
        let Tenant { settings, region, .. } = Tenant::load(self, tenant).await?;
        let mut others = 0;
        for shard in 0..RECORD_SHARDS {
            let mut after = None;
            loop {
                let (records, next) = self.store.record_page(tenant, shard, after.as_ref(), PAGE).await?;
                let mut pushes = Pushes::default();
                for record in
                    records.iter().filter(|record| !record.engagement.is_empty() && record.merged_into.is_none())
                {
                    if let Some(changed) = self.rescore_one(cx, record, &settings.scoring, &region).await? {
                        pushes.note(changed);
                        others += 1;
                    }
                }
                pushes.send(self, cx).await?;
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(others)
    }

    /// The record, where its score or a total is another now. Events are written first: what a crash leaves is done again.
    async fn rescore_one(
        &self,
        cx: &Context,
        record: &Record,
        scoring: &Scoring,
        region: &Region,
    ) -> Result<Option<Record>> {
        let mut record = record.clone();
        for _ in 0..ROUNDS {
            let told = self.did(&record).await?;
            let events: Vec<Event> = told.iter().map(|(_, counted)| counted.event.clone()).collect();
            let merged = record.engagement.merged.clone();
            let fresh = Record { engagement: Engagement { merged, ..Engagement::default() }, ..record.clone() };
            let by = By::Rules { what: "scored anew".to_owned() };
            let cause = Cause::new(by, &cx.trace, cx.now());
            let counting = count(&fresh, &events, BTreeSet::new(), scoring, &crate::engagement::source(), cx.now());
            let scores: BTreeMap<_, _> =
                counting.counted.iter().map(|one| (&one.event.id, &one.contributions)).collect();
            let rewritten = told.iter().map(|(holder, one)| {
                let contributions = scores.get(&one.event.id).map(|scored| (*scored).clone()).unwrap_or_default();
                (holder.clone(), Counted { contributions, ..one.clone() })
            });
            let rewritten: Vec<(RecordId, Counted)> = rewritten.collect();
            self.store.rewrite(&record, &rewritten, &counting.scored).await?;
            if counting.engagement == record.engagement && counting.fields == record.fields {
                return Ok(None);
            }
            let (fields, engagement, version) = (counting.fields, counting.engagement, record.version + 1);
            let after = Record { fields, engagement, version, cause, ..record.clone() };
            match self.store.commit(&Commit::of(Some(&record), &after), region, cx.now()).await {
                Ok(()) => return Ok(Some(after)),
                Err(Lost::Failed(error)) => return Err(error),
                Err(_) => match self.store.record(&record.tenant, &record.id).await? {
                    Some(newer) => record = newer,
                    None => return Ok(None),
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
