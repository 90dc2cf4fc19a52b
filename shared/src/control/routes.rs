//! The table of routes.

use super::{
    access::{
        Needs,
        Role::{Admin, Operator, Viewer},
    },
    call::{Call, Told},
    comparing, connections, erasure, exceptions, exports, history, imports, mappings, openapi, pulse, records,
    route::{Nothing, Route},
    settings, switches, tenants, trial, undo,
};
use http::Method;
use serde_json::Value as Json;
use std::sync::LazyLock;

/// All that there are.
pub static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
    let (sees, acts, decides) = (Needs::Role(Viewer), Needs::Role(Operator), Needs::Role(Admin));
    #[rustfmt::skip]
    let routes = vec![
        Route::new(get.clone(), "/v1/openapi.json", Needs::Proof, "document", "This document", document),

        Route::new(get.clone(), "/v1/tenants", Needs::Platform, "tenants", "Lists all tenants", tenants::list),
        Route::new(post.clone(), "/v1/tenants", Needs::Platform, "takeTenantOn", "Takes a tenant on", tenants::take_on),
        Route::new(get.clone(), "/v1/tenants/{tenant}", sees, "tenant", "Shows a tenant", tenants::show),
        Route::new(delete.clone(), "/v1/tenants/{tenant}", Needs::Platform, "seeTenantOff", "Ends all connections of a tenant, who leaves; may be asked again until it is done", tenants::see_off),

        Route::new(post.clone(), "/v1/tenants/{tenant}/stop", acts, "stop", "Stops everything of a tenant at once: nothing is read from a CRM or written to one, and nothing is lost", switches::stop),
        Route::new(post.clone(), "/v1/tenants/{tenant}/go", decides, "go", "Lets a tenant go on after a stop", switches::go),
        Route::new(post.clone(), "/v1/stop", Needs::Platform, "stopEverything", "Stops everything of all tenants at once", switches::stop_everything),
        Route::new(post.clone(), "/v1/go", Needs::Platform, "goOn", "Lets all tenants go on after a stop of everything", switches::go_on),

        Route::new(get.clone(), "/v1/tenants/{tenant}/connections", sees, "connections", "Lists connections", connections::list),
        Route::new(get.clone(), "/v1/tenants/{tenant}/connections/{connection}", sees, "connection", "Shows a connection", connections::show),
        Route::new(get.clone(), "/v1/tenants/{tenant}/connections/{connection}/status", sees, "status", "Examines a connection: access, scopes, fields, webhooks, quota, clocks, and what to do about what is wrong", connections::status),
        Route::new(get.clone(), "/v1/tenants/{tenant}/connections/{connection}/pulse", sees, "pulse", "Shows the last two days of a connection by the hour: records, refusals, failures, lag; and how much of the day's calls is used", pulse::show),
        Route::new(post.clone(), "/v1/tenants/{tenant}/connections/{connection}/pause", acts, "pause", "Stops a connection; nothing is lost", connections::pause),
        Route::new(post.clone(), "/v1/tenants/{tenant}/connections/{connection}/resume", decides, "resume", "Approves a new connection, or goes on with a paused one", connections::resume),
        Route::new(post.clone(), "/v1/tenants/{tenant}/connections/{connection}/sync", acts, "sync", "Looks at the CRM and writes what is pending, now: everything, or some records", connections::sync),
        Route::new(put.clone(), "/v1/tenants/{tenant}/connections/{connection}/mode", decides, "setMode", "Says when a connection exchanges what changed: at once, by the hour, by the day, or when a person asks", switches::set_mode),
        Route::new(post.clone(), "/v1/tenants/{tenant}/connections/{connection}/release", decides, "release", "Lets a connection write what it holds back because it is so much", switches::release),
        Route::new(delete, "/v1/tenants/{tenant}/connections/{connection}", decides, "disconnect", "Ends webhooks, access and credentials; the hub keeps what it knows", connections::disconnect),
        Route::new(post.clone(), "/v1/tenants/{tenant}/links", decides, "link", "Makes a link that a person opens to connect a CRM account", connections::link),
        Route::new(get.clone(), "/v1/tenants/{tenant}/connections/{connection}/comparison", sees, "comparison", "Shows what the last full comparison with the CRM found, by object", comparing::compared),
        Route::new(post.clone(), "/v1/tenants/{tenant}/connections/{connection}/compare", acts, "compare", "Compares everything with the CRM, and mends what differs if that is meant; what it found is shown by `comparison` once it is done", comparing::compare),
        Route::new(get.clone(), "/v1/tenants/{tenant}/connections/{connection}/policy", sees, "policy", "Shows what becomes of conflicts and deletions", settings::policy).guarded(),
        Route::new(put.clone(), "/v1/tenants/{tenant}/connections/{connection}/policy", decides, "setPolicy", "Says what becomes of conflicts and deletions", settings::set_policy).guarded(),
        Route::new(post.clone(), "/v1/tenants/{tenant}/connections/{connection}/conflicts", acts, "decide", "Ends conflicts with the hub's values or the CRM's", exceptions::decide),
        Route::new(post.clone(), "/v1/tenants/{tenant}/connections/{connection}/deletions", acts, "decideDeletions", "Decides about deletions that rest because they were so many", exceptions::decide_deletions),

        Route::new(get.clone(), "/v1/tenants/{tenant}/connections/{connection}/mappings", sees, "mappings", "Lists a connection's rules, by object", mappings::list),
        Route::new(get.clone(), "/v1/tenants/{tenant}/connections/{connection}/mappings/{object}", sees, "mapping", "Shows the rules for an object", mappings::show).guarded(),
        Route::new(put.clone(), "/v1/tenants/{tenant}/connections/{connection}/mappings/{object}", decides, "giveMapping", "Gives an object other rules: the connection joins anew, and writes nothing before it is resumed. If-Match is \"0\" where it had none", mappings::give).guarded(),
        Route::new(post.clone(), "/v1/tenants/{tenant}/connections/{connection}/mappings/{object}/test", sees, "testMapping", "Tries rules on samples; nothing is written", trial::test),
        Route::new(get.clone(), "/v1/tenants/{tenant}/connections/{connection}/schema/{object}", sees, "schema", "Lists the fields that the CRM has for an object", mappings::schema),
        Route::new(get.clone(), "/v1/tenants/{tenant}/connections/{connection}/preview", sees, "preview", "Counts what would be made, filled in and overwritten, a stretch at a time", mappings::preview),

        Route::new(get.clone(), "/v1/tenants/{tenant}/settings/ownership", sees, "ownership", "Shows which source may write which field", settings::ownership).guarded(),
        Route::new(put.clone(), "/v1/tenants/{tenant}/settings/ownership", decides, "setOwnership", "Says which source may write which field", settings::set_ownership).guarded(),
        Route::new(get.clone(), "/v1/tenants/{tenant}/settings/scoring", sees, "scoring", "Shows how many points events are worth", settings::scoring).guarded(),
        Route::new(put.clone(), "/v1/tenants/{tenant}/settings/scoring", decides, "setScoring", "Says how many points events are worth, from now on; a minute later, score everybody anew", settings::set_scoring).guarded(),
        Route::new(post.clone(), "/v1/tenants/{tenant}/settings/scoring/rescore", decides, "rescore", "Scores everybody anew, a stretch at a time", settings::rescore),
        Route::new(get.clone(), "/v1/tenants/{tenant}/settings/effects", sees, "effects", "Shows what is made of events", settings::effects).guarded(),
        Route::new(put.clone(), "/v1/tenants/{tenant}/settings/effects", decides, "setEffects", "Says what is made of events, from now on", settings::set_effects).guarded(),
        Route::new(get.clone(), "/v1/tenants/{tenant}/settings/triggers", sees, "triggers", "Shows what begins when a condition comes to hold", settings::triggers).guarded(),
        Route::new(put.clone(), "/v1/tenants/{tenant}/settings/triggers", decides, "setTriggers", "Says what begins when a condition comes to hold, from now on", settings::set_triggers).guarded(),
        Route::new(get.clone(), "/v1/tenants/{tenant}/settings/watch", sees, "watch", "Shows from when on silence, lag, refusals and errors are worth telling", settings::watch).guarded(),
        Route::new(put.clone(), "/v1/tenants/{tenant}/settings/watch", decides, "setWatch", "Says from when on silence, lag, refusals and errors are worth telling", settings::set_watch).guarded(),
        Route::new(get.clone(), "/v1/tenants/{tenant}/settings/alerts", sees, "alerts", "Shows who is told of what waits for a person, and by which way", settings::alerts).guarded(),
        Route::new(get.clone(), "/v1/tenants/{tenant}/settings/retention", sees, "retention", "Shows for how many days history and ended exceptions are kept", settings::retention).guarded(),
        Route::new(put.clone(), "/v1/tenants/{tenant}/settings/retention", decides, "setRetention", "Says for how many days history and ended exceptions are kept, from now on", settings::set_retention).guarded(),
        Route::new(put, "/v1/tenants/{tenant}/settings/alerts", decides, "setAlerts", "Says who is told of what waits for a person; a channel's secret is given by `operator alerts`", settings::set_alerts).guarded(),

        Route::new(get.clone(), "/v1/tenants/{tenant}/records", sees, "records", "Lists records, or whoever has an identity", records::list),
        Route::new(get.clone(), "/v1/tenants/{tenant}/profile", sees, "profile", "Shows what a product reads of one person: fields, score, totals, where they are", records::profile),
        Route::new(get.clone(), "/v1/tenants/{tenant}/records/{record}", sees, "record", "Shows a record, and how it stands in each CRM", records::show),
        Route::new(get.clone(), "/v1/tenants/{tenant}/records/{record}/history", sees, "history", "Lists a record's changes, the latest first: before, after, who and why", history::changes),
        Route::new(get.clone(), "/v1/tenants/{tenant}/records/{record}/timeline", sees, "timeline", "Lists what became of a record's sync requests, the latest first", history::timeline),
        Route::new(get.clone(), "/v1/tenants/{tenant}/records/{record}/explain", sees, "explain", "Explains a field: who wrote it, what did not prevail, how it stands in each CRM", records::explained),
        Route::new(get.clone(), "/v1/tenants/{tenant}/records/{record}/preview", sees, "previewRecord", "Shows what would be written of a record now, field by field", records::previewed),
        Route::new(get.clone(), "/v1/tenants/{tenant}/records/{record}/score", sees, "score", "Explains a score: every event, and what it added by which rule", records::scored),

        Route::new(get.clone(), "/v1/tenants/{tenant}/records/{record}/everything", acts, "everything", "Shows everything that is known of a person, for themselves to read", erasure::everything),
        Route::new(get.clone(), "/v1/tenants/{tenant}/records/{record}/erasure", sees, "erasure", "Reads back how much of a person is left: here, and in the CRMs", erasure::erased),
        Route::new(post.clone(), "/v1/tenants/{tenant}/records/{record}/erase", decides, "erase", "Forgets a person: here, in the history, in what waits, and if that is meant in the CRMs; first without `meant`, to see what there is. It cannot be undone", erasure::erase),

        Route::new(post.clone(), "/v1/tenants/{tenant}/undo", decides, "undo", "Takes back what changes made of records, where nobody has written it since; first without `meant`, to see what that comes to. A stretch at a time", undo::undo),

        Route::new(get.clone(), "/v1/tenants/{tenant}/imports", sees, "imports", "Lists imports, the newest first; they are kept for 30 days", imports::list),
        Route::new(post.clone(), "/v1/tenants/{tenant}/imports", acts, "createImport", "Makes an import, and the request by which its file is sent. What would become of its rows is counted then, and nothing is written before it is started", imports::create),
        Route::new(get.clone(), "/v1/tenants/{tenant}/imports/{import}", sees, "import", "Shows an import: how its file is read, what was counted, what is done", imports::show),
        Route::new(post.clone(), "/v1/tenants/{tenant}/imports/{import}/start", acts, "startImport", "Begins to write what was counted", imports::start),
        Route::new(post.clone(), "/v1/tenants/{tenant}/imports/{import}/cancel", acts, "cancelImport", "Ends an import where it stands; rows that were done stay done", imports::cancel),
        Route::new(get.clone(), "/v1/tenants/{tenant}/imports/{import}/result", sees, "importResult", "The request that fetches what became of each row, or would: a CSV", imports::result),
        Route::new(get.clone(), "/v1/tenants/{tenant}/exports", decides, "exports", "Lists exports, the newest first; they are kept for 30 days", exports::list),
        Route::new(post.clone(), "/v1/tenants/{tenant}/exports", decides, "createExport", "Writes all records of an object into a file, which an import takes", exports::create),
        Route::new(get.clone(), "/v1/tenants/{tenant}/exports/{export}", decides, "export", "Shows an export", exports::show),
        Route::new(get.clone(), "/v1/tenants/{tenant}/exports/{export}/file", decides, "exportFile", "The request that fetches an export's file", exports::file),

        Route::new(get.clone(), "/v1/tenants/{tenant}/exceptions", sees, "exceptions", "Lists what waits for a person", exceptions::list),
        Route::new(post.clone(), "/v1/tenants/{tenant}/exceptions/retry", acts, "retryAll", "Does a page of one kind once more", exceptions::retry_all),
        Route::new(get, "/v1/tenants/{tenant}/exceptions/{exception}", sees, "exception", "Shows one; of a conflict, with both sides", exceptions::show),
        Route::new(post.clone(), "/v1/tenants/{tenant}/exceptions/{exception}/retry", acts, "retry", "Does it once more, by its normal way", exceptions::retry),
        Route::new(post.clone(), "/v1/tenants/{tenant}/exceptions/{exception}/take-back", acts, "takeBack", "Takes the other side of a conflict that was ended, unless somebody has written the field since", exceptions::take_back),
        Route::new(post, "/v1/tenants/{tenant}/exceptions/{exception}/dismiss", acts, "dismiss", "Notes that somebody has seen to it, or need not", exceptions::dismiss),
    ];
    routes
});

async fn document(_: &Call<'_>, _: Nothing) -> Told<Json> {
    Ok(openapi::document(&ROUTES).into())
}
