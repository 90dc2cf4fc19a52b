//! The stable codes of exceptions, and what a person can do about each.

use crate::{
    connection::Connection,
    context::Context,
    id::{RecordId, TenantId, hex},
    record::Record,
    store::{Exception, Open},
    trigger::Fired,
};
use sha2::{Digest, Sha256};

/// Code → remedy. The codes are part of the product: they never change their meaning.
const REMEDIES: &[(&str, &str)] = &[
    (
        "alert_refused",
        "Give the channel its secret anew (`operator alerts`), or correct its address; what comes next is told again, and this ends by itself.",
    ),
    (
        "another_account",
        "Give the connection the credentials of its own account, or connect the other one under a name of its own.",
    ),
    (
        "app_refused",
        "Correct the app's client id and secret in Secrets Manager; everything goes on by itself within minutes.",
    ),
    (
        "bad_event",
        "Correct this event where it comes from, then send it in another request; the other events were counted.",
    ),
    ("bad_filter", "Correct the expression under `where`, such as lead_score >= 75, then ask for the fetch again."),
    ("bad_template", "Correct the template of this sync field in the workflow step, then send the request again."),
    (
        "bad_value",
        "Correct this value where it comes from, then send the request again; the other values were applied.",
    ),
    ("clock_off", "Set the clock of the machine that this runs on; if it is right, ask the CRM's vendor."),
    (
        "connection_stopped",
        "Correct what the CRM names, such as a scope or a property, then activate the connection: it catches up.",
    ),
    (
        "conflict",
        "Compare both values and choose one with `operator resolve`; until then neither side changes this field of the other.",
    ),
    ("duplicate_in_crm", "Merge the two records in the CRM, or unlink one; only the first is kept in step."),
    (
        "deleted_again",
        "Somebody, or a workflow of the CRM, deletes what the policy makes again. End that, or set another policy.",
    ),
    (
        "edited_and_deleted",
        "The person was deleted in one CRM while they were edited elsewhere; they were kept. Restore them there, or delete them in the others.",
    ),
    (
        "erased_person",
        "Somebody who was erased is in the CRM as another record: delete it there. If they have agreed to be known again, send a request with `consent_at`.",
    ),
    (
        "erased_in_crm",
        "The person was deleted for privacy in the CRM. Decide whether to erase them here and elsewhere: `operator erase`, or their page in the dashboard.",
    ),
    (
        "field_gone",
        "Make the field again, give the connected user access to it, or take it out of the mapping; then activate the connection.",
    ),
    ("field_read_only", "Give the connected user the right to edit the field, or let its rule only read."),
    ("id_not_unique", "Let the field that holds our record ids refuse duplicates, then activate the connection."),
    ("id_reused", "Send the request under an id of its own; the first request with this id was done."),
    (
        "import_stuck",
        "Look at the logs of this trace; when the cause is gone, start the import again: it goes on where it was. One that was only being counted takes its file once more.",
    ),
    ("export_stuck", "Look at the logs of this trace; when the cause is gone, ask for the export again."),
    (
        "kills_its_function",
        "Look at the record and at the logs of this trace; when the cause is gone, sync the record again.",
    ),
    ("malformed_json", "Send JSON as infra/schemas/sync-request.json describes it."),
    ("malformed_request", "Send the request as infra/schemas/sync-request.json describes it."),
    (
        "many_errors",
        "Look at the logs for what the CRM answers, and at the vendor's status page; everything is tried again until it works.",
    ),
    (
        "many_refused",
        "Look at what was refused (the exceptions refused_by_crm), and correct the mapping or what the records come from.",
    ),
    (
        "mass_delete",
        "Check in the CRM whether this was meant. `operator deletions confirm` follows it; where it was not, restore the records there and then `operator deletions dismiss`.",
    ),
    (
        "mass_blank",
        "See what would be lost (`operator preview --of`, or the history of a record). `operator release` lets it be written; where it is a mistake, give the values back where they come from first.",
    ),
    (
        "mass_write",
        "See what would be written (`operator preview`). `operator release` lets it be; where it is a mistake, correct it where it comes from first. What sync requests ask for goes on.",
    ),
    (
        "needs_reauth",
        "Let us in again under the same name: `operator link` for a browser, `operator connect` for a token, a secret or a key. Nothing is lost meanwhile.",
    ),
    (
        "no_success",
        "Examine the connection (`operator doctor`). If nothing is wrong with it, see whether the schedule runs and what the logs of delta-pull say.",
    ),
    ("no_identity", "Give the lead an id, an e-mail address or a telephone number."),
    ("not_approved", "Look at what it would write (`operator preview`), then activate the connection."),
    (
        "not_deleted",
        "Delete the record there by hand, or give the connected user the right to delete and connect again.",
    ),
    (
        "list_unread",
        "Let our app read the list, or make another one and map that, or take its rule out of the mapping; then dismiss this. It is tried every hour.",
    ),
    (
        "no_such_list",
        "Name a list of this object by its id in the CRM, and see that the connected user (in HubSpot our app, by the scope crm.lists.read) may read it; then ask again.",
    ),
    (
        "not_read",
        "Ask for an object that this connection reads: one that is mapped, has room for our record ids, and does not only go out.",
    ),
    ("not_visible", "Give the connected user access to the record in the CRM, or unlink it here."),
    ("not_working", "See to the connection (`operator doctor`), then ask for the fetch again."),
    ("quota_low", "Wait for the next day, leave more to us by stopping other apps, or buy more calls from the vendor."),
    ("record_too_large", "Shorten or unmap the record's longest fields; a record holds at most 350 KB."),
    (
        "out_of_step",
        "See how much differs on the overview or by `operator compare`; then mend it there: what differs is looked at again, as after any change. Where its own count is another, see that our user there may see all records, and compare again.",
    ),
    (
        "refused_by_crm",
        "Correct the field that the CRM names, or the mapping; the record is sent again when one of them changes.",
    ),
    ("request_too_large", "Send fewer or shorter values: a request holds at most 128 KB."),
    ("same_identity", "Two people share a key that belongs to one. Merge them, or correct the key of one of them."),
    ("scope_missing", "Grant the scope in the app's settings at the CRM, then let us in again under the same name."),
    ("unanswered", "Try again in a minute; if it stays, give the connected user the right that the CRM names."),
    ("unknown_connection", "Name a connection of this tenant, or null for all of them."),
    (
        "sync_lags",
        "See whether the CRM asks us to wait (`operator doctor`) or whether much is queued; it catches up by itself.",
    ),
    ("too_many_events", "Send the events in several requests, at most 20 in each."),
    (
        "trigger_stopped",
        "Something answers this trigger by undoing its condition, perhaps an automation of the CRM: end that, or give the trigger another condition.",
    ),
    (
        "unknown_event",
        "Use a type that infra/schemas/sync-request.json names, or make a rule for it (`operator scoring`), then send the event in another request.",
    ),
    ("unknown_field", "No connection that this request is for has such a field: correct the sync field's name."),
    ("unknown_placeholder", "Use a field that the lead has, such as {{email}} or {{callStatus}}."),
    ("unknown_tenant", "Connect a CRM for this tenant first, then send the request again."),
    (
        "unreadable_event",
        "Relay a channel of change events alone to the event bus. What changed is found by pulling meanwhile.",
    ),
    ("unknown_version", "Send version 1 of the sync request."),
    ("unnamed_tenant", "Name the tenant in `tenant_id`."),
    (
        "waiting_for_crm",
        "Nothing now: it goes on by itself. If it waits often, stop other apps of the account, or buy more calls from the vendor.",
    ),
    (
        "webhook_failing",
        "Look for refused deliveries in the logs of the webhook function; what was missed is found by pulling.",
    ),
    (
        "webhook_missing",
        "Connect the account again under the same name: the subscription is made anew, and what was missed is pulled.",
    ),
    (
        "webhook_token_old",
        "Run `operator rotate` for the connection: it makes another token and says where it goes; the old one is good for a week more.",
    ),
    (
        "webhook_unproved",
        "To be told at once, connect the account again under the same name, with the secret that signs its app's deliveries.",
    ),
    (
        "webhook_unreachable",
        "See that the stack is deployed, that PUBLIC_URL is its own, and that our app's secret at the CRM is known.",
    ),
    (
        "webhook_unseen",
        "Look in the CRM whether its webhooks go to this connection's URL. To connect again tells once more what is to be done there.",
    ),
    (
        "volume_dropped",
        "See whether less happened, as on a holiday; otherwise whether webhooks arrive (`operator doctor`) and whether requests are still sent to us.",
    ),
    ("wrong_direction", "Send direction \"send\"; reading from a CRM is done by its connection."),
    ("wrong_kind", "Send this field as the kind of value it holds, or correct it in the CRM."),
];

/// What a person can do about an exception of this code.
pub fn remedy(code: &str) -> &'static str {
    REMEDIES
        .iter()
        .find(|(known, _)| *known == code)
        .map_or("Look at the reason; the CRM's documentation explains its own codes.", |(_, remedy)| remedy)
}

/// Part of a sort key, which may have 1,024 bytes: what is long is replaced by its digest.
fn id(code: &str, about: &str) -> String {
    match about.len() <= 512 {
        true => format!("{code}:{about}"),
        false => {
            format!("{code}:{}", hex(&Sha256::digest(about)))
        }
    }
}

impl Exception {
    /// An exception with its remedy. `about` tells failures of one code apart: the same failure is raised once.
    pub fn new(tenant: &TenantId, code: &str, about: &str, reason: impl Into<String>, cx: &Context) -> Exception {
        Exception {
            tenant: tenant.clone(),
            id: id(code, about),
            code: code.to_owned(),
            reason: reason.into(),
            remedy: remedy(code).to_owned(),
            at: cx.now(),
            state: Open::Open,
            connection: None,
            record: None,
            field: None,
            payload: None,
            decided: None,
            agreed: None,
            trace: cx.trace.clone(),
            steps: Vec::new(),
            fetch: None,
        }
    }

    pub fn on(self, connection: &Connection) -> Exception {
        Exception { connection: Some(connection.id.clone()), ..self }
    }

    pub fn of(self, record: &RecordId) -> Exception {
        Exception { record: Some(record.clone()), ..self }
    }

    pub fn field(self, field: impl Into<String>) -> Exception {
        Exception { field: Some(field.into()), ..self }
    }
}

/// The triggers that began too often for a record, as exceptions.
pub fn stopped(record: &Record, cx: &Context) -> Vec<Exception> {
    let of = record.cause.fired.iter().filter(|fired| fired.stopped);
    let exception = |fired: &Fired| {
        let about = format!("{}:{}", record.id, fired.trigger);
        let reason = format!("the trigger {} began four times within an hour, and rests", fired.trigger);
        Exception::new(&record.tenant, "trigger_stopped", &about, reason, cx).of(&record.id)
    };
    of.map(exception).collect()
}
