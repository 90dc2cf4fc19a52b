//! The history is the difference of the records: whoever adds up its entries, from the first to any other, has what the record was then.

use crate::world::tenant;
use shared::{
    app::App,
    history::Entry,
    record::{Record, Value},
};
use std::collections::BTreeMap;

/// Of everybody there is; how many changes that were.
pub(crate) async fn the_history_is_the_difference(app: &App) -> usize {
    let (mut place, mut changes) = (Some((0, None)), 0);
    while let Some(at) = place {
        let (records, next) = app.store.walk(&tenant(), &at, 200).await.unwrap();
        for record in records {
            changes += adds_up(&record, app.history.of(&tenant(), &record.id).await.unwrap());
        }
        place = next;
    }
    changes
}

fn adds_up(record: &Record, entries: Vec<Entry>) -> usize {
    let (mut fields, mut sent, mut version) = (BTreeMap::new(), BTreeMap::new(), 0);
    for entry in entries {
        let Entry::Change { version: this, fields: changed, sent: agreed, erased, .. } = entry else { continue };
        version += 1;
        assert_eq!(this, version, "no change of {} is left out", record.id);
        if erased {
            (fields, sent) = (BTreeMap::new(), BTreeMap::new());
            continue;
        }
        for one in changed {
            moves(&mut fields, one.field, one.before.as_ref(), one.after, record, version);
        }
        for one in agreed {
            moves(
                &mut sent,
                format!("{} {}", one.connection, one.field),
                one.before.as_ref(),
                one.after,
                record,
                version,
            );
        }
    }
    assert_eq!(version, record.version, "the last change of {} is told", record.id);
    let now = record.fields.iter().filter_map(|(field, said)| Some((field.clone(), said.value.clone()?)));
    assert_eq!(fields, now.collect(), "the fields of {}", record.id);
    let agreed = record.links.iter().flat_map(|(connection, link)| {
        link.agreed.iter().filter_map(move |(field, one)| Some((format!("{connection} {field}"), one.ours.clone()?)))
    });
    assert_eq!(sent, agreed.collect(), "what is agreed about {}", record.id);
    usize::try_from(version).unwrap()
}

fn moves(
    held: &mut BTreeMap<String, Value>,
    field: String,
    before: Option<&Value>,
    after: Option<Value>,
    record: &Record,
    version: u64,
) {
    assert_eq!(held.get(&field), before, "{field} of {} before change {version}", record.id);
    match after {
        Some(value) => held.insert(field, value),
        None => held.remove(&field),
    };
}
