//! The same question comes up in many states: what was worked out before is not worked out again.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{PoisonError, RwLock},
};

pub struct Memo<Q, A>(RwLock<HashMap<Q, A>>);

impl<Q: Eq + Hash, A: Clone> Memo<Q, A> {
    pub fn ask(&self, question: Q, work_out: impl FnOnce(&Q) -> A) -> A {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&question).cloned();
        known.unwrap_or_else(|| {
            let answer = work_out(&question);
            self.0.write().unwrap_or_else(PoisonError::into_inner).entry(question).or_insert(answer).clone()
        })
    }
}

impl<Q, A> Default for Memo<Q, A> {
    fn default() -> Memo<Q, A> {
        Memo(RwLock::default())
    }
}
