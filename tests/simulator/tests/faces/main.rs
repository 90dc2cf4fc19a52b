//! The simulator over real HTTP: what the vendors document, and what `/_sim` promises.

mod client;
mod hubspot;
mod pipedrive;
mod salesforce;
mod salesforce_queries;
mod sim;
mod zoho;
