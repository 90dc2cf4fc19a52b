//! The simulator over real HTTP: what the vendors document, and what `/_sim` promises.

mod browser;
mod client;
mod consent;
mod consent_vendors;
mod hubspot;
mod hubspot_before;
mod lists;
mod pipedrive;
mod pipedrive_webhooks;
mod salesforce;
mod salesforce_queries;
mod sim;
mod zoho;
