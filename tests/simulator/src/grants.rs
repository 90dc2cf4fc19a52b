//! What one app was granted in one account, where that may be several things at once: Zoho and Salesforce keep the
//! refresh tokens of earlier authorizations alive.

#[derive(Debug, Clone)]
pub struct Grant {
    pub refresh_token: String,
    pub scope: String,
    alive: bool,
}

impl Grant {
    pub fn new(refresh_token: String, scope: String) -> Self {
        Self { refresh_token, scope, alive: true }
    }
}

/// The newest last; there is always one.
#[derive(Debug)]
pub struct Grants {
    older: Vec<Grant>,
    newest: Grant,
}

impl Grants {
    pub fn of(first: Grant) -> Self {
        Self { older: Vec::new(), newest: first }
    }

    pub fn newest(&self) -> &Grant {
        &self.newest
    }

    pub fn any(&self) -> bool {
        self.newest.alive || self.older.iter().any(|g| g.alive)
    }

    /// One more; of those alive the oldest go, until there are no more than `most`.
    pub fn add(&mut self, grant: Grant, most: usize) {
        self.older.retain(|g| g.alive);
        let before = std::mem::replace(&mut self.newest, grant);
        if before.alive {
            self.older.push(before);
        }
        let over = (self.older.len() + 1).saturating_sub(most);
        self.older.drain(..over);
    }

    /// The configured one, which replaces all others unless it is the newest anyway, and lives again.
    pub fn set(&mut self, refresh_token: Option<&String>) {
        if let Some(token) = refresh_token.filter(|t| **t != self.newest.refresh_token) {
            self.older.clear();
            self.newest.refresh_token.clone_from(token);
        }
        self.revive();
    }

    pub fn revive(&mut self) {
        self.newest.alive = true;
    }

    /// The living grant of this refresh token.
    pub fn live(&mut self, refresh_token: &str) -> Option<&mut Grant> {
        self.all().find(|g| g.alive && g.refresh_token == refresh_token)
    }

    /// Ends the living grant of this refresh token; false if there is none.
    pub fn end(&mut self, refresh_token: &str) -> bool {
        self.live(refresh_token).map(|grant| grant.alive = false).is_some()
    }

    pub fn end_all(&mut self) {
        self.all().for_each(|g| g.alive = false);
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Grant> {
        self.older.iter_mut().chain(std::iter::once(&mut self.newest))
    }
}
