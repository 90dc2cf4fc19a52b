//! BENCHMARKS.md: a section for each chapter, between marks; a run replaces those that it measured.

use crate::project::Project;
use anyhow::{Context, Result};

/// What a chapter has to say, and its plots by their names.
pub(super) struct Section {
    pub(super) text: String,
    pub(super) plots: Vec<(String, String)>,
}

const HEAD: &str = "\
# Benchmarks

Medians of several rounds, with the least and the most in brackets; whoever is compared takes turns within each round, on the same machine and against
the same stubs. Nothing here is asserted by a test. Repeat it with `cargo dev bench`, or a part with `cargo dev bench --only webhook`.
";

/// Where plots lie, as the page names them.
const PLOTS: &str = "infra/bench/plots";

/// Puts a section in its place, at once: what was measured is not lost to what fails after it.
pub(super) fn write(project: &Project, name: &str, section: &Section) -> Result<()> {
    let file = project.root.join("BENCHMARKS.md");
    let page = std::fs::read_to_string(&file).unwrap_or_else(|_| HEAD.to_owned());
    let folder = project.root.join(PLOTS);
    std::fs::create_dir_all(&folder)?;
    let mut text = section.text.clone();
    for (plot, svg) in &section.plots {
        std::fs::write(folder.join(format!("{plot}.svg")), svg)?;
        text += &format!("\n![{plot}]({PLOTS}/{plot}.svg)\n");
    }
    let page = replaced(&page, name, &text);
    std::fs::write(&file, page).with_context(|| format!("{} cannot be written", file.display()))?;
    println!("  written to {}\n", project.shown(&file));
    Ok(())
}

/// The page with another text between a section's marks; a new one comes last.
fn replaced(page: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
    let whole = format!("{begin}{text}{end}");
    match (page.split_once(&begin), page.split_once(&end)) {
        (Some((before, _)), Some((_, after))) => format!("{before}{whole}{after}"),
        _ => format!("{page}\n{whole}"),
    }
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn a_section_is_replaced_and_the_others_stay() {
        let page = replaced(&replaced("# Page\n", "one", "first\n"), "two", "second\n");
        let again = replaced(&page, "one", "third\n");
        assert_eq!(
            again,
            "# Page\n\n<!-- one -->\nthird\n<!-- end of one -->\n\n<!-- two -->\nsecond\n<!-- end of two -->\n"
        );
    }
}
