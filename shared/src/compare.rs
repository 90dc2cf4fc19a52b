//! Hub and CRM are compared in full, now and then: webhooks and pulls tell what changed, and this tells what they missed.
//!
//! First everybody whom the CRM shows is held against the hub. Where it shows fewer than the hub knows there, those are asked for by their
//! ids. What differs is counted; it is mended where a person says so, by looking at it again, as after any hint.

use crate::{
    app::App,
    change::{Comparison, Differences, Hinted, Side, Work},
    connection::Connection,
    context::Context,
    error::{Error, Result},
    id::RemoteId,
    mapping::Mapping,
    planner::{Freshness, Seen, Taken, absorb, freshness},
    provider::{Fetched, Listed, Session},
    record::{Link, Object, Record},
    store::{Compared, Exception},
    sync::{Pushes, changes_nothing, linked, look_again, needs},
    telemetry::chain,
};
use jiff::SignedDuration;
use std::time::Duration;

/// How often.
pub const EVERY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// No page is begun with less than this left.
const PAGE_TAKES: Duration = Duration::from_secs(20);
/// What changed so short a time ago may be in a queue.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(10);
/// Records of one read of the hub.
const PAGE: i32 = 500;

/// A comparison at its beginning.
pub fn begun(cx: &Context, object: &Object, mends: bool) -> Work {
    let (side, so_far) = (Side::Crm { after: None }, Differences::default());
    Work::Compare(Box::new(Comparison { object: object.clone(), begun: cx.now(), mends, side, moving: 0, so_far }))
}

/// How one remote stands to the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Same,
    /// Nobody in the hub is this one, and it is this CRM's business.
    Extra,
    /// It shows what we have not heard.
    Different,
    /// It lacks what we have to say.
    Unsent,
}

impl App {
    /// Begins a comparison of an object.
    pub async fn compare(&self, cx: &Context, connection: &Connection, object: &Object, mends: bool) -> Result<()> {
        self.start(cx, connection, begun(cx, object, mends)).await
    }

    /// Goes on with one, page by page; what time does not allow goes on in a new message.
    pub async fn compare_on(&self, cx: &Context, connection: &Connection, mut now: Comparison) -> Result<()> {
        let reads = |mapping: &&Mapping| connection.receives() && mapping.has_room();
        let Some(mapping) = connection.mappings.get(&now.object).filter(reads) else { return Ok(()) };
        loop {
            if cx.left() < PAGE_TAKES {
                return self.start(cx, connection, Work::Compare(Box::new(now))).await;
            }
            if now.side == (Side::Crm { after: None }) {
                now.so_far.counted = self.count(cx, connection, mapping).await;
            }
            let (found, next) = match now.side.clone() {
                Side::Crm { after } => self.shown_page(cx, connection, mapping, &mut now, after).await?,
                Side::Hub { at, asks } => self.known_page(cx, connection, mapping, &mut now, at, asks).await?,
            };
            if now.mends {
                self.mend(cx, connection, &now.object, found).await?;
            }
            match next {
                Some(side) => now.side = side,
                None => return self.compared(cx, connection, now).await,
            }
        }
    }

    /// How many the CRM says there are, where it says so. Without that a comparison is as good as before.
    async fn count(&self, cx: &Context, connection: &Connection, mapping: &Mapping) -> Option<u32> {
        if !connection.crm.capabilities().counts {
            return None;
        }
        let count = async |session: &Session| connection.crm.count(session, mapping).await;
        let counted = self.ask(connection, cx, count).await;
        counted.unwrap_or_else(|error| {
            tracing::info!(connection.id = %connection.id, error = chain(&error), trace = cx.trace, "its records are not counted");
            None
        })
    }

    /// Holds the CRM's count against what it has shown; where they differ it is asked once more, because both move.
    async fn hold_count(&self, cx: &Context, connection: &Connection, mapping: &Mapping, now: &mut Comparison) {
        let Some(before) = now.so_far.counted.filter(|counted| *counted != now.so_far.shown) else { return };
        match self.count(cx, connection, mapping).await {
            Some(after) => now.so_far.count(before, after, now.moving),
            None => now.so_far.counted = None,
        }
    }

    /// A page of what the CRM shows, held against the hub.
    async fn shown_page(
        &self,
        cx: &Context,
        connection: &Connection,
        mapping: &Mapping,
        now: &mut Comparison,
        after: Option<String>,
    ) -> Result<(Found, Option<Side>)> {
        let list = async |session: &Session| connection.crm.list(session, mapping, None, after.as_deref()).await;
        let (mut shown, next) = match self.with_session(connection, cx, list).await? {
            Listed::Shown { records, next } => (records, next),
            Listed::Refused(reason) => return Err(Error::bug(format!("a CRM does not list its records: {reason}"))),
        };
        if next.is_some() && next == after {
            return Err(Error::bug("a list's pages do not advance"));
        }
        self.inward(cx, connection, mapping, shown.iter_mut().map(|(_, seen)| seen).collect()).await?;
        let remotes: Vec<RemoteId> = shown.iter().map(|(remote, _)| remote.clone()).collect();
        let known = linked(self, connection, &now.object, &remotes).await?;
        let mut found = Found::default();
        for (remote, seen) in shown {
            let record = known.get(&remote);
            now.so_far.shown += 1;
            now.so_far.known += u32::from(record.is_some_and(|record| is_there(record, connection, &remote)));
            // What moved a moment ago is under way.
            let rests = now.begun - UNDER_WAY;
            let moves = seen.modified.is_some_and(|at| at > rests);
            now.moving += u32::from(moves);
            if moves || record.is_some_and(|record| record.cause.at > rests) {
                continue;
            }
            match stands(record, &seen, connection, mapping, &now.object) {
                Stands::Same => {}
                Stands::Extra => found.hint(&mut now.so_far.extra, &now.object, remote),
                Stands::Different => found.hint(&mut now.so_far.different, &now.object, remote),
                Stands::Unsent => {
                    now.so_far.unsent += 1;
                    found.unsent.extend(record.map(|record| record.id.clone()));
                }
            }
        }
        if next.is_none() {
            self.hold_count(cx, connection, mapping, now).await;
        }
        let hub = Side::Hub { at: (0, None), asks: false };
        Ok((found, Some(next.map_or(hub, |after| Side::Crm { after: Some(after) }))))
    }

    /// A page of what the hub knows there: counted, and asked for by ids where the CRM has shown fewer.
    async fn known_page(
        &self,
        cx: &Context,
        connection: &Connection,
        mapping: &Mapping,
        now: &mut Comparison,
        at: (u8, Option<crate::id::RecordId>),
        asks: bool,
    ) -> Result<(Found, Option<Side>)> {
        let (records, next) = self.store.walk(&connection.tenant, &at, PAGE).await?;
        let here = |record: Record| {
            let link = record.links.get(&connection.id).filter(|link| link.gone.is_none())?;
            link.remote.clone().filter(|_| record.object == now.object && record.merged_into.is_none())
        };
        let remotes: Vec<RemoteId> = records.into_iter().filter_map(here).collect();
        let mut found = Found::default();
        if asks {
            for some in remotes.chunks(connection.crm.capabilities().max_read) {
                let fetch = async |session: &Session| connection.crm.fetch(session, mapping, some).await;
                let fetched = self.with_session(connection, cx, fetch).await?;
                for (remote, _) in some.iter().zip(fetched).filter(|(_, one)| !matches!(one, Fetched::Shown(_))) {
                    found.hint(&mut now.so_far.missing, &now.object, remote.clone());
                }
            }
        } else {
            now.so_far.linked += u32::try_from(remotes.len()).unwrap_or(u32::MAX);
        }
        let fewer = now.so_far.known < now.so_far.linked;
        Ok((
            found,
            match next {
                Some(at) => Some(Side::Hub { at, asks }),
                None => (!asks && fewer).then_some(Side::Hub { at: (0, None), asks: true }),
            },
        ))
    }

    /// Looks again at what differs, and sends what was not sent.
    async fn mend(&self, cx: &Context, connection: &Connection, object: &Object, found: Found) -> Result<()> {
        let mut pushes = Pushes::default();
        let looked = look_again(self, cx, connection, found.hints, &mut pushes).await;
        for record in &found.unsent {
            pushes.add(connection, record);
        }
        pushes.send(self, cx).await?;
        tracing::debug!(object = object.as_str(), trace = cx.trace, "mended a page");
        looked.map_err(|left| left.why)
    }

    /// Keeps what it came to, and asks a person about what differs.
    async fn compared(&self, cx: &Context, connection: &Connection, now: Comparison) -> Result<()> {
        let Comparison { object, begun, mends, so_far, .. } = now;
        let compared = Compared { object: object.clone(), begun, ended: cx.now(), mended: mends, differences: so_far };
        self.store.set_compared(connection, &compared).await?;
        tracing::info!(connection.id = %connection.id, shown = so_far.shown, differ = so_far.all(), mends, trace = cx.trace, "compared");
        let reason = format!(
            "of {} records of {} that {} shows, {so_far}",
            so_far.shown,
            object.as_str(),
            connection.crm.title()
        );
        let about = format!("{}:{object}", connection.id);
        let exception = Exception::new(&connection.tenant, "out_of_step", &about, reason, cx).on(connection);
        // No mending changes what the CRM counts.
        match so_far.all() == 0 || (mends && so_far.miscounted == 0) {
            true => self.store.resolve(&connection.tenant, &exception.id, cx.now()).await,
            false => self.store.raise(&exception).await,
        }
    }
}

/// What is to be mended of one page.
#[derive(Default)]
struct Found {
    hints: Vec<Hinted>,
    unsent: Vec<crate::id::RecordId>,
}

impl Found {
    fn hint(&mut self, count: &mut u32, object: &Object, remote: RemoteId) {
        *count += 1;
        self.hints.push(Hinted::plain(object, remote));
    }
}

fn is_there(record: &Record, connection: &Connection, remote: &RemoteId) -> bool {
    let link = record.links.get(&connection.id);
    link.is_some_and(|link| link.gone.is_none() && link.remote.as_ref() == Some(remote))
}

fn stands(record: Option<&Record>, seen: &Seen, connection: &Connection, mapping: &Mapping, object: &Object) -> Stands {
    let judge = connection.judge(object);
    let Some(record) = record else {
        let new = absorb(&Default::default(), &Link::default(), seen, mapping, judge);
        return if mapping.includes(&new.hub) { Stands::Extra } else { Stands::Same };
    };
    let Some(link) = record.links.get(&connection.id).filter(|_| record.deleted.is_none()) else { return Stands::Same };
    let is_older =
        seen.modified < link.modified || freshness(link, seen, Taken::Sometime, mapping) == Freshness::FetchAgain;
    let absorbed = absorb(&record.fields, link, seen, mapping, judge);
    match (is_older, changes_nothing(record, &absorbed, connection)) {
        (false, false) => Stands::Different,
        _ if connection.sends() && needs(connection, record) => Stands::Unsent,
        _ => Stands::Same,
    }
}
