//! Each alarm of the template: its cause is made to happen, and its own definition is asked about what was measured, before and after.

mod causes;
pub(crate) mod definition;
mod pages;

use crate::world::{World, tenant};
use definition::{Alarm, Point};
use jiff::SignedDuration;
use serde_json::json;
use shared::{context::Context, error::Result, handler, store::Setting, watch::Thresholds};
use std::collections::BTreeSet;

macro_rules! cases {
    ($($alarm:ident $cause:ident,)*) => {
        const CASES: &[&str] = &[$(stringify!($alarm)),*];
        $(
            #[tokio::test]
            async fn $cause() {
                let mut stage = Stage::of(stringify!($alarm)).await;
                causes::$cause(&mut stage).await;
                assert!(stage.was_calm, "nobody asked beforehand");
                assert!(stage.fires(), "{:?}: {:?}", stage.alarm, stage.points);
            }
        )*
    };
}

cases! {
    ConnectionsSilent no_pull_succeeds,
    ConnectionsLagging a_pull_comes_late,
    ConnectionsLagging a_push_waits,
    ConnectionsRejecting a_crm_refuses_many,
    ConnectionsDropped much_less_happens,
    ConnectionsFailing a_crm_fails,
    ConnectionsNearLimit the_day_is_nearly_spent,
    ConnectionsShutOut a_grant_is_revoked,
    WatchdogStopped nobody_watches,
    WatchdogFailing the_watchdog_fails,
    ChangesWaiting a_hint_waits,
    SyncRequestsWaiting a_request_waits,
    PullsWaiting a_pull_waits,
    PushesWaiting a_push_waits_for_hours,
    JournalBehind the_stream_is_read_late,
    JournalFailing a_change_cannot_be_read,
    ChangesGivenUp a_hint_is_given_up,
    SyncRequestsGivenUp a_request_is_given_up,
    PullsGivenUp a_pull_is_given_up,
    PushesGivenUp a_push_is_given_up,
    ImportsWaiting a_file_waits,
    ImportsGivenUp a_file_is_given_up,
    AlertsRefused a_channel_refuses,
    AlertsWaiting an_alert_waits,
    AlertsGivenUp an_alert_is_given_up,
}

/// From when on something is told is for the tenant to say.
#[tokio::test]
async fn thresholds_are_the_tenants() {
    let mut stage = Stage::of("ConnectionsSilent").await;
    let patient = Thresholds { silent_intervals: 100, ..Thresholds::default() };
    stage.pull().await;
    stage.watch().await;
    stage.world.wait(SignedDuration::from_mins(11)).await;
    stage.world.app.store.set(&tenant(), Setting::Watch(&patient), None).await.unwrap();
    stage.watch().await;
    assert!(!stage.fires());
    stage.world.app.store.set(&tenant(), Setting::Watch(&Thresholds::default()), None).await.unwrap();
    stage.watch().await;
    assert!(stage.fires());
}

#[test]
fn every_alarm_has_its_case() {
    let alarms: BTreeSet<&str> = definition::resources("AWS::CloudWatch::Alarm").into_keys().collect();
    assert_eq!(alarms, CASES.iter().copied().collect());
}

/// An alarm, and a world in which its cause is made to happen.
struct Stage {
    alarm: Alarm,
    world: World,
    points: Vec<Point>,
    was_calm: bool,
}

impl Stage {
    async fn of(alarm: &str) -> Stage {
        let world = World::new().await;
        world.settle().await;
        Stage { alarm: Alarm::named(alarm), world, points: Vec::new(), was_calm: false }
    }

    fn fires(&mut self) -> bool {
        let lines = std::mem::take(&mut *self.world.emitted.lock().unwrap());
        self.points.extend(lines.iter().flat_map(|line| Point::of_line(line)));
        self.alarm.fires(&self.points, self.world.now())
    }

    /// It does not fire before there is cause.
    fn calm(&mut self) {
        assert!(!self.fires(), "{:?}: {:?}", self.alarm, self.points);
        self.was_calm = true;
    }

    /// What AWS itself measures of a resource.
    fn told(&mut self, namespace: &str, metric: &str, dimension: (&str, &str), value: f64) {
        let (namespace, metric, at) = (namespace.to_owned(), metric.to_owned(), self.world.now());
        let dimensions = vec![(dimension.0.to_owned(), dimension.1.to_owned())];
        self.points.push(Point { namespace, metric, dimensions, at, value });
    }

    /// A function was invoked, which Lambda counts.
    fn invoked<T>(&mut self, function: &str, done: &Result<T>) {
        let of = ("FunctionName", function);
        self.told("AWS/Lambda", "Invocations", of, 1.0);
        self.told("AWS/Lambda", "Errors", of, f64::from(u8::from(done.is_err())));
    }

    /// The watchdog's schedule comes.
    async fn watch(&mut self) {
        let cx = self.world.cx("watch");
        let done = self.world.watch(&cx).await;
        self.invoked("Watchdog", &done);
    }

    /// As the schedule of pulls comes, and all that it begins.
    async fn pull(&self) {
        self.world.tick().await;
        self.world.settle().await;
    }
}

impl World {
    pub(crate) async fn watch(&self, cx: &Context) -> Result<()> {
        let tick = serde_json::from_value(json!({"tick": "watch"})).unwrap();
        let done = handler::watchdog(&self.app, cx, tick).await;
        self.report(cx).await;
        done
    }
}
