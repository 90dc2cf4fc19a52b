//! What every way of connecting an account asks for.

use shared::{
    connecting::Invitation,
    id::{ConnectionId, TenantId},
    provider::Crm,
    record::{Object, Region},
};

#[derive(clap::Args)]
pub(crate) struct Asked {
    pub(crate) tenant: TenantId,
    /// A name of your choice; it becomes a part of the webhook URL
    pub(crate) connection: ConnectionId,
    /// hubspot, salesforce, zoho or pipedrive
    #[arg(value_parser = crm)]
    pub(crate) crm: Crm,
    /// The country whose way of writing phone numbers is used where none is given
    #[arg(long, default_value = "US")]
    region: String,
    /// What is kept in step, with commas: person, company, deal, note, task, as far as this CRM has them
    #[arg(long, default_value = "person", value_delimiter = ',')]
    objects: Vec<Object>,
    /// Seconds between two pulls
    #[arg(long, default_value_t = 300)]
    pull_every: u32,
    /// Where the account logs in: https://test.salesforce.com, https://acme.my.salesforce.com, https://accounts.zoho.eu
    #[arg(long)]
    login_host: Option<String>,
}

impl Asked {
    pub(crate) fn invitation(self) -> Invitation {
        let Asked { tenant, connection, crm, region, objects, pull_every, login_host } = self;
        Invitation { tenant, connection, crm, region: Region(region), objects, pull_every, login_host }
    }
}

pub(crate) fn crm(name: &str) -> Result<Crm, String> {
    name.parse().map_err(|()| format!("{name} is none of: {}", Crm::ALL.map(Crm::name).join(", ")))
}
