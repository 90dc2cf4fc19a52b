//! Every metric that there is. Alarms, the dashboard and runbooks name no other: a test sees to it.

macro_rules! metrics {
    ($($name:ident $unit:ident $means:literal,)*) => {
        /// What is counted or measured.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric { $($name),* }

        impl Metric {
            pub const ALL: &[Metric] = &[$(Metric::$name),*];

            /// As CloudWatch knows it.
            pub fn name(self) -> &'static str {
                match self { $(Metric::$name => stringify!($name)),* }
            }

            /// One of CloudWatch's units (Amazon CloudWatch API: MetricDatum).
            pub fn unit(self) -> &'static str {
                match self { $(Metric::$name => stringify!($unit)),* }
            }

            pub fn means(self) -> &'static str {
                match self { $(Metric::$name => $means),* }
            }
        }
    };
}

metrics! {
    // Of each CRM, from those who speak with it.
    Inserted Count "records made: in the CRM by a push, in the hub by a look",
    Updated Count "records changed, likewise",
    Rejected Count "records that the CRM refused",
    Conflicts Count "fields that wait for a person, because both sides changed them",
    ApiCalls Count "calls to the CRM",
    BudgetUsed Percent "how much of an account's calls for the day is used, the fullest account's",
    SyncLag Milliseconds "from a change in the CRM until it was in the hub, or from when a push was asked for until it was settled",
    Duration Milliseconds "how long an invocation took that spoke with the CRM",
    RateLimited Count "sessions that ended because the CRM asked us to wait",
    Unanswered Count "sessions that ended because the CRM failed or did not answer",
    AuthRefused Count "sessions that ended because the CRM no longer lets us in",
    NeedsPerson Count "sessions that ended because a person must change something",
    Bugs Count "sessions that ended by a broken assumption of ours",
    UnknownAccount Count "genuine events of an account that no connection has",
    UnknownConnection Count "deliveries to a URL that no connection has",
    DeliveryRefused Count "deliveries that nothing proves",
    DeliveryUnreadable Count "genuine deliveries that nobody can read",
    EventUnreadable Count "events of an event bus that say only that something changed",
    // Of all CRMs together.
    Changes Count "changes that the history keeps",
    Exceptions Count "exceptions opened",
    AlertsTold Count "alerts that a channel took",
    AlertsRefused Count "alerts that a channel refused for good",
    // From the watchdog, only where there are any.
    ConnectionsSilent Count "connections without a success for twice their interval",
    ConnectionsLagging Count "connections that are told of changes too late, or whose pushes wait too long",
    ConnectionsRejecting Count "connections whose CRM refuses too many records",
    ConnectionsDropped Count "connections on which much less happens than in this hour of other days",
    ConnectionsFailing Count "connections whose sessions fail too often",
    ConnectionsNearLimit Count "connections that have used most of the day's calls",
    ConnectionsShutOut Count "connections whose grant is dead",
    SinceSuccess Seconds "how long ago the last success of the connection was that waits for one the longest",
}
