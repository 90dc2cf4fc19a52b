//! The story that `cargo dev demo` plays: thirteen steps on the running stack, each told in one line.

mod agreement;
mod bad_record;
mod bar;
mod both_edit;
mod connect;
mod crowd;
mod echo;
mod errands;
mod expired_token;
mod files;
mod forged;
mod hub;
mod logs;
mod lost_webhook;
pub(crate) mod oracle;
mod people;
mod phone;
mod rate_limit;
mod repeat;
mod request;
mod scene;
mod sight;
mod table;
mod told;

pub(crate) use logs::DENIED;
pub(crate) use people::lead as crowd_lead;

use crate::project::Project;
use crate::stack::Stack;
use crate::step::step;
use crate::stop;
use anyhow::{Context, Result};
use scene::Scene;
use std::time::{Duration, Instant};

/// What a step has seen, for its line.
type Seen = String;

const ADA: &str = "ada@example.com";
const GRACE: &str = "grace@example.com";
const ALAN: &str = "alan@example.com";

/// Plays all of it, or all but the crowd and what follows, with less patience. After a failure everything that was logged
/// is kept.
pub(crate) fn play(project: &Project, stack: &Stack, crowd: Option<usize>) -> Result<()> {
    let mut scene = Scene::open(project, stack)?;
    if crowd.is_none() {
        scene.patience = Duration::from_secs(40);
    }
    let played = steps(&mut scene, crowd);
    if played.is_err() && !stop::asked() {
        logs::keep_all(&scene).context("and the logs could not be kept")?;
        println!("  Everything that was logged is kept in {}", project.shown(&project.dev.join("logs")));
    }
    played
}

fn steps(scene: &mut Scene<'_>, crowd: Option<usize>) -> Result<()> {
    let begun = Instant::now();
    let say = |seen: Seen| ((), seen);
    step(" 1 A phone changes in HubSpot", |p| phone::changes(scene, p).map(say))?;
    step(" 2 The echo costs nothing", |p| echo::costs_nothing(scene, p).map(say))?;
    step(" 3 Forged deliveries are refused", |p| forged::are_refused(scene, p).map(say))?;
    let grace = request::grace();
    step(" 4 A message becomes a lead", |p| request::becomes_a_lead(scene, &grace, p).map(say))?;
    step(" 5 Told again, it creates nothing", |p| repeat::creates_nothing(scene, &grace, p).map(say))?;
    step(" 6 A lost webhook is pulled", |p| lost_webhook::is_pulled(scene, p).map(say))?;
    step(" 7 Zoho's token expires", |p| expired_token::goes_unnoticed(scene, p).map(say))?;
    step(" 8 HubSpot answers 429", |p| rate_limit::is_waited_out(scene, p).map(say))?;
    step(" 9 One bad record in a hundred", |p| bad_record::is_set_aside(scene, p).map(say))?;
    step("10 Every CRM edits one lead", |p| both_edit::survive(scene, p).map(say))?;
    step("11 A person connects an account", |p| connect::works(scene, p).map(say))?;
    let Some(crowd) = crowd else {
        step("   Errands", |p| errands::are_run(scene, p).map(say))?;
        return step("   Nothing was denied", |_| logs::tell_of_no_denial(scene).map(say));
    };
    let name = format!("12 {crowd} messages at once");
    let calls = step(&name, |p| crowd::ends_as_one_lead_each(scene, crowd, p).map(|(seen, calls)| (calls, seen)))?;
    print!("{calls}");
    let compared = step("13 All agree with the oracle", |p| {
        let compared = agreement::is_complete(scene, p)?;
        let seen = format!("{} leads, {} fields compared, no difference", compared.leads, compared.fields);
        Ok((compared, seen))
    })?;
    step("   The logs tell no secret", |_| {
        logs::tell_no_secret(scene).map(|n| ((), format!("{n} lines, no name, e-mail, phone or secret")))
    })?;
    let calls = scene.calls()?;
    println!(
        "\n{} leads, {} fields compared, {} calls to CRMs in {:.0} s:",
        compared.leads,
        compared.fields,
        crowd::total(&calls),
        begun.elapsed().as_secs_f64()
    );
    print!("{}", table::render(&calls, 0));
    Ok(())
}
