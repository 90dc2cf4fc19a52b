//! What a person sees: one line per step, with a tick, what came of it and how long it took.

use crate::stop;
use anyhow::Result;
use console::style;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// The moving line of a step that is under way.
pub(crate) struct Progress {
    name: String,
    bar: ProgressBar,
}

impl Progress {
    fn start(name: &str) -> Self {
        let bar = if console::user_attended_stderr() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(look) = ProgressStyle::with_template("{spinner:.cyan} {msg:<34} {elapsed:>6.dim}  {prefix:.dim}") {
            bar.set_style(look.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
        }
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        if bar.is_hidden() {
            println!("· {name} …");
        }
        Self { name: name.to_owned(), bar }
    }

    /// Shows the newest line of what is being done.
    pub(crate) fn say(&self, text: &str) {
        self.bar.set_prefix(console::truncate_str(text.trim(), 70, "…").into_owned());
    }
}

/// Does one step and prints its line. The work answers with its value and with what is worth saying about it.
pub(crate) fn step<T>(name: &str, work: impl FnOnce(&Progress) -> Result<(T, String)>) -> Result<T> {
    stop::check()?;
    let (progress, begun) = (Progress::start(name), Instant::now());
    let result = work(&progress);
    progress.bar.finish_and_clear();
    let seconds = format!("{:>6.1} s", begun.elapsed().as_secs_f64());
    match result {
        Ok((value, detail)) => {
            println!("{} {:<34} {}  {}", style("✓").green().bold(), progress.name, style(seconds).dim(), detail);
            Ok(value)
        }
        Err(error) => {
            println!("{} {:<34} {}", style("✗").red().bold(), progress.name, style(seconds).dim());
            Err(error)
        }
    }
}

/// Prints why the command failed, most general first.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("\n{} {error}", style("error:").red().bold());
    for cause in error.chain().skip(1) {
        eprintln!("  {} {cause}", style("because").dim());
    }
}
