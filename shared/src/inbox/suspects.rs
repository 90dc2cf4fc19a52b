//! Requests that ended their function before are done one by one; one that ended it twice becomes an exception.

use super::{Kept, Letter, apply_all, refusal};
use crate::{
    app::App,
    context::Context,
    error::Result,
    store::{KILLS, MOST_KILLS},
};
use std::collections::BTreeSet;

/// The messages of a batch that were received before, of which it is noted that work on them begins.
pub(super) struct Suspects {
    again: Vec<String>,
    /// Those of which it was noted before that work began, and never that it ended.
    killers: BTreeSet<String>,
}

const TOGETHER: &str = "sync-requests";
const ALONE: &str = "sync-requests.alone";

impl Suspects {
    pub(super) async fn among(app: &App, cx: &Context, letters: &[Letter]) -> Result<Suspects> {
        let again = letters.iter().filter(|letter| letter.slip.receives > 1).map(|letter| letter.slip.message.clone());
        let mut suspects = Suspects { again: again.collect(), killers: BTreeSet::new() };
        for message in &suspects.again {
            if app.store.begin_suspect(TOGETHER, message, cx.now()).await? > 0 {
                suspects.killers.insert(message.clone());
            }
        }
        Ok(suspects)
    }

    /// Does the killers after all others, each on its own.
    pub(super) async fn apart(&self, app: &App, cx: &Context, letters: Vec<Letter>) -> Result<Vec<Kept>> {
        let is_killer = |letter: &Letter| self.killers.contains(&letter.slip.message);
        let (killers, plain): (Vec<Letter>, Vec<Letter>) = letters.into_iter().partition(is_killer);
        let mut kept = apply_all(app, cx, plain).await?;
        for letter in killers {
            let message = letter.slip.message.clone();
            let killed = app.store.begin_suspect(ALONE, &message, cx.now()).await?;
            if killed >= MOST_KILLS {
                let reason = format!("this request ended the function {killed} times");
                app.store.raise(&refusal::failed(&letter.request, KILLS, &reason, None, cx)).await?;
                continue;
            }
            let done = apply_all(app, cx, vec![letter]).await;
            app.store.clear_suspect(ALONE, &message).await?;
            kept.extend(done?);
        }
        Ok(kept)
    }

    pub(super) async fn survived(&self, app: &App) -> Result<()> {
        for message in &self.again {
            app.store.clear_suspect(TOGETHER, message).await?;
        }
        Ok(())
    }
}
