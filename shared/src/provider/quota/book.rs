//! What one instance knows of a connection's limits: its own calls, what it was lent, what answers told.

use super::{Answered, Ask, Limits, Told, Weight, Wish};
use crate::{
    connection::Allowance,
    context::{plus, until},
};
use jiff::Timestamp;
use std::{collections::VecDeque, time::Duration};

/// One instance's view of one connection. Pure: its time is an argument.
#[derive(Debug)]
pub struct Book {
    holder: String,
    limits: Limits,
    allowance: Allowance,
    windows: Vec<Held>,
    day: Known,
}

#[derive(Debug, Default)]
struct Held {
    /// When calls that are still counted were answered: they had arrived by then.
    answered: VecDeque<Timestamp>,
    under_way: usize,
    /// So many calls until then.
    lent: Option<(u32, Timestamp)>,
    /// It is of no use to ask before.
    ask_from: Option<Timestamp>,
    /// What the account's plan allows, once an answer told.
    most: Option<u32>,
}

#[derive(Debug, Default)]
struct Known {
    left: Option<(u64, Timestamp)>,
    /// The whole of it, as it was told.
    whole: Option<u64>,
    /// What it is at least, by what was told to be left.
    most: Option<u64>,
    /// What all of us spent, as far as this instance knows, and on which day.
    spent: (i64, u64),
    untold: u64,
    /// What was told is to be passed on.
    news: bool,
}

/// What is to be done about a call.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// It may be made, and counts until it has ended and its window has passed.
    Go,
    /// More is to be asked for.
    Ask,
    /// A window is full until then. Whoever does not wait for it comes back no sooner than after a rest.
    Full { until: Timestamp, rest: Duration },
    /// The day's budget, less what is left to others, is spent.
    Spent { wait: Duration },
}

impl Book {
    pub fn new(holder: String, limits: Limits, allowance: Allowance) -> Book {
        let windows = limits.windows.iter().map(|_| Held::default()).collect();
        Book { holder, limits, allowance, windows, day: Known::default() }
    }

    /// A connection's settings may change while an instance lives.
    pub fn allow(&mut self, allowance: Allowance) {
        self.allowance = allowance;
    }

    /// Whether a call may be made now; if so, it is counted.
    pub fn next(&mut self, weight: Weight, now: Timestamp) -> Next {
        if self.has_news(now) {
            return Next::Ask;
        }
        if let Some(wait) = self.spent(now) {
            return Next::Spent { wait };
        }
        let mut full: Option<(Timestamp, Duration)> = None;
        for place in self.counting(weight) {
            let (lendable, window) = (self.lendable(place), &self.limits.windows[place]);
            self.windows[place].forget(now, window.per);
            let (lent, may) = self.may(place, now);
            let held = &self.windows[place];
            if held.used() < may {
                continue;
            }
            if lent.is_none_or(|lent| lent < lendable) && held.ask_from.is_none_or(|from| from <= now) {
                return Next::Ask;
            }
            // The first of its own calls to be forgotten makes room, or what others were lent ends.
            let own = held.used().checked_sub(may).and_then(|over| held.answered.get(over as usize));
            let own = own.filter(|_| lent.is_some()).map(|at| plus(*at, window.per));
            let free = [own, held.ask_from].into_iter().flatten().filter(|at| *at > now).min();
            let free = free.unwrap_or(plus(now, window.lingers()));
            // A place of a long window would soon be gone again: by then there are some.
            let rest = if window.is_short() { Duration::ZERO } else { window.per / 4 };
            full = Some(full.map_or((free, rest), |(at, longest)| (at.max(free), longest.max(rest))));
        }
        if let Some((until, rest)) = full {
            return Next::Full { until, rest };
        }
        for place in self.counting(weight) {
            self.windows[place].under_way += 1;
        }
        self.day.untold += u64::from(weight.tokens);
        Next::Go
    }

    /// A call that was let through has ended, one way or another.
    pub fn ended(&mut self, weight: Weight, now: Timestamp) {
        for place in self.counting(weight) {
            let held = &mut self.windows[place];
            held.under_way = held.under_way.saturating_sub(1);
            held.answered.push_back(now);
        }
    }

    /// What to ask for, so that such a call may be made; `None` where somebody else of this instance did so meanwhile.
    pub fn ask(&self, weight: Weight, now: Timestamp) -> Option<Ask> {
        let wish = |place: usize| {
            let (window, held, lendable) = (&self.limits.windows[place], &self.windows[place], self.lendable(place));
            let wanted = held.used() >= self.may(place, now).1 && held.ask_from.is_none_or(|from| from <= now);
            // Who needed much a moment ago needs it again.
            let last = held.lent.filter(|(_, until)| plus(*until, window.lasts()) > now).map_or(0, |(calls, _)| calls);
            let want = lendable.div_ceil(4).max(2 * (held.used() + 1)).max(last).min(lendable);
            let (lasts, lingers) = (window.lasts(), window.lingers());
            wanted.then_some(Wish { window: place, want, used: held.used(), lendable, lasts, lingers })
        };
        let wishes: Vec<Wish> = self.counting(weight).into_iter().filter_map(wish).collect();
        let most = self.day.most.filter(|_| self.day.news);
        let ask = Ask { holder: self.holder.clone(), wishes, spent: self.day.untold, most };
        (self.has_news(now) || !ask.wishes.is_empty()).then_some(ask)
    }

    pub fn answered(&mut self, ask: &Ask, answered: &Answered, now: Timestamp) {
        for (wish, lent) in ask.wishes.iter().zip(&answered.wishes) {
            let held = &mut self.windows[wish.window];
            match lent {
                Ok(lent) => {
                    held.lent = Some((lent.calls, lent.until));
                    // What was asked for in vain is not asked for again at once.
                    held.ask_from = (lent.calls < wish.want).then(|| plus(now, wish.lasts / 2));
                }
                Err(free) => held.ask_from = Some(*free),
            }
        }
        self.day.untold = self.day.untold.saturating_sub(ask.spent);
        self.day.spent = (day_of(now), answered.spent);
        self.day.most = self.day.most.max(answered.most);
        self.day.news = false;
    }

    /// What an answer's headers told.
    pub fn told(&mut self, told: Told, now: Timestamp) {
        for (window, held) in self.limits.windows.iter().zip(&mut self.windows) {
            if window.counts == super::Counts::Searches {
                continue;
            }
            held.most = told.most.or(held.most);
            // Somebody else has used it up.
            if told.left == Some(0) && held.lent.is_some() {
                held.lent = None;
                held.ask_from = Some(plus(now, window.per / 4));
            }
        }
        if let Some(left) = told.day_left {
            self.day.left = Some((left, now));
            self.day.whole = told.day_most;
            // Where only what is left is told, then from half of it on (Zoho docs: API limits).
            if told.day_most.is_none() && self.day.most.is_none_or(|known| 2 * left > known + known / 50) {
                self.day.most = Some(2 * left);
                self.day.news = true;
            }
        }
    }

    /// How long to leave the CRM alone, where the day's budget is spent but for what is left to others.
    fn spent(&self, now: Timestamp) -> Option<Duration> {
        let day = self.limits.day?;
        let most = self.day.whole.or(self.allowance.per_day);
        let most = most.unwrap_or(self.day.most.unwrap_or(0).max(day.least));
        let others = |most: u64| most * u64::from(self.allowance.left_to_others.min(100)) / 100;
        let over = match self.day.left {
            // What was told is too old after a while: one call asks again.
            Some((left, at)) if until(at, now) < day.wait => left <= others(most),
            Some(_) => false,
            None => {
                let spent = self.day.untold + if self.day.spent.0 == day_of(now) { self.day.spent.1 } else { 0 };
                day.metered && self.allowance.per_day.is_some_and(|most| spent >= most - others(most))
            }
        };
        over.then_some(day.wait)
    }

    /// Percent of the day's budget that are used, by whomever the CRM counts; `None` where nothing tells.
    pub fn used(&self, now: Timestamp) -> Option<u8> {
        let day = self.limits.day?;
        let most = self.day.whole.or(self.allowance.per_day).or(self.day.most).filter(|most| *most > 0)?;
        let used = match self.day.left {
            Some((left, at)) if day_of(at) == day_of(now) => most.saturating_sub(left),
            Some(_) => return None,
            None if day.metered => self.day.untold + if self.day.spent.0 == day_of(now) { self.day.spent.1 } else { 0 },
            None => return None,
        };
        u8::try_from(used.saturating_mul(100) / most).ok()
    }

    /// Whether there is something to tell or to hear of the day, even where nothing else is asked: of metered tokens what
    /// others spent so far, then each half percent of our own, and at the end the last of it.
    fn has_news(&self, now: Timestamp) -> bool {
        let metered = self.limits.day.is_some_and(|day| day.metered);
        let metered = self.allowance.per_day.filter(|_| metered);
        let worth_it = |most: u64| {
            let least = if self.spent(now).is_some() { 1 } else { (most / 200).max(20) };
            self.day.spent.0 != day_of(now) || self.day.untold >= least
        };
        self.day.news || metered.is_some_and(worth_it)
    }

    /// The windows that count such a call.
    fn counting(&self, weight: Weight) -> Vec<usize> {
        let windows = self.limits.windows.iter().enumerate();
        windows.filter(|(_, window)| window.takes(weight)).map(|(place, _)| place).collect()
    }

    /// What this instance was lent of a window, and how many calls it may make there.
    fn may(&self, place: usize, now: Timestamp) -> (Option<u32>, u32) {
        let lent = self.windows[place].lent.filter(|(_, until)| *until > now).map(|(calls, _)| calls);
        let (window, lendable) = (&self.limits.windows[place], self.lendable(place));
        let is_spared = self.calls(place) >= lendable + window.spare;
        let free = if is_spared { window.free } else { 0 };
        (lent, lent.unwrap_or(0).max(free).min(lendable))
    }

    /// What may be lent of a window, to all instances together: at least one call.
    fn lendable(&self, place: usize) -> u32 {
        let (window, calls) = (&self.limits.windows[place], self.calls(place));
        let ours = match window.shared {
            true => calls * u32::from(100 - self.allowance.left_to_others.min(100)) / 100,
            false => calls.saturating_sub(window.spare),
        };
        ours.max(1)
    }

    /// What a window allows, as far as it is known.
    fn calls(&self, place: usize) -> u32 {
        self.windows[place].most.unwrap_or(self.limits.windows[place].calls)
    }
}

impl Held {
    fn forget(&mut self, now: Timestamp, per: Duration) {
        while self.answered.front().is_some_and(|at| plus(*at, per) <= now) {
            self.answered.pop_front();
        }
    }

    fn used(&self) -> u32 {
        u32::try_from(self.answered.len() + self.under_way).unwrap_or(u32::MAX)
    }
}

fn day_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(86_400)
}
