use super::*;
pub enum HubSpot {}
impl Provider for HubSpot {
    const CAPABILITIES: Capabilities = Capabilities { webhooks: Webhooks::PerApp, max_read: 100, max_write: 100, echo: Echo::Fields, deletions: Deletions { every: std::time::Duration::from_secs(3600) }, resolution: std::time::Duration::from_millis(1) };
    const AUTHORIZATION: &'static str = "Bearer ";
    fn default_mapping() -> Mapping { todo!() }
    fn could_name(field: &str) -> bool { field.starts_with(|c: char| c.is_ascii_lowercase()) }
    fn verify<'d>(_: &'d Delivery, _: &[Secret], _: Schemes, _: Timestamp) -> Result<Verified<'d>, Forged> { Err(Forged::Missing) }
    fn hints(_: &Verified<'_>) -> Result<Vec<Hint>, Unreadable> { Ok(vec![]) }
    fn base(_: &Hosts, _: &Grant) -> Result<String> { Ok(String::new()) }
    async fn refresh(_: &reqwest::Client, _: &Hosts, _: &AppCredentials, g: &Grant, _: Timestamp) -> Result<Grant> { Ok(g.clone()) }
    async fn fetch(_: &Session, _: &Mapping, _: &[RemoteId]) -> Result<Vec<Fetched>> { Ok(vec![]) }
    async fn find(_: &Session, _: &Mapping, _: &[Query]) -> Result<Vec<Vec<Found>>> { Ok(vec![]) }
    async fn create(_: &Session, _: &Mapping, _: &[Write]) -> Result<Vec<Outcome>> { Ok(vec![]) }
    async fn update(_: &Session, _: &Mapping, _: &[Write]) -> Result<Vec<Outcome>> { Ok(vec![]) }
    async fn delta(_: &Session, _: &Mapping, c: &Cursor, _: Timestamp) -> Result<Page> { Ok(Page { shown: vec![], next: c.clone(), more: false }) }
    async fn deleted(_: &Session, _: &Mapping, _: Timestamp) -> Result<Vec<(RemoteId, Timestamp)>> { Ok(vec![]) }
    async fn watch(_: &Session, _: &Mapping, _: &WatchWish) -> Result<Option<Watch>> { Ok(None) }
}
