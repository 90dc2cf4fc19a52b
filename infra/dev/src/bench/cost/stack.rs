//! What of the template and of the other chapters a bill depends on.

use crate::bench::functions;
use crate::project::Project;
use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// Of one stack.
#[derive(Clone, Debug, Default)]
pub(super) struct Stack {
    /// By function, in MB.
    memory: BTreeMap<String, f64>,
    pub(super) alarms: f64,
    pub(super) dashboards: f64,
    /// Queues that Lambda polls: standard, FIFO.
    pub(super) polled: [f64; 2],
    /// Lambda records traces.
    pub(super) is_traced: bool,
    /// The history's table is of the class for what is seldom read.
    pub(super) rests: bool,
    /// Processor time for a call to AWS, in milliseconds of a whole core: the most of all functions.
    pub(super) busy_ms: f64,
}

pub(super) fn stack(project: &Project) -> Result<Stack> {
    let template = std::fs::read_to_string(project.root.join("template.yaml"))?;
    let measured = std::fs::read_to_string(project.root.join("BENCHMARKS.md"))?;
    let busy_ms = busiest(&measured)
        .context("BENCHMARKS.md holds no chapter of the functions: cargo dev bench --only functions")?;
    Ok(Stack { busy_ms, ..read(&template) })
}

impl Stack {
    /// In GB.
    pub(super) fn memory(&self, function: &str) -> f64 {
        self.memory.get(function).copied().unwrap_or(512.0) / 1024.0
    }
}

fn read(template: &str) -> Stack {
    let times = |text: &str| template.matches(text).count() as f64;
    let (mut memory, mut function, mut every) = (BTreeMap::new(), None, 128.0);
    for line in template.lines() {
        if let Some((_, named)) = line.split_once("Binary: ") {
            let name = named.trim_end_matches([' ', '}']).to_owned();
            memory.insert(name.clone(), every);
            function = Some(name);
        }
        let Some(size) = line.trim().strip_prefix("MemorySize: ").and_then(|size| size.parse().ok()) else { continue };
        match &function {
            Some(name) => drop(memory.insert(name.clone(), size)),
            None => every = size,
        }
    }
    let sources: Vec<&str> = template.lines().filter(|line| line.starts_with("            Queue: !GetAtt ")).collect();
    let fifo = sources.iter().filter(|line| line.contains("Pushes") || line.contains("Pulls")).count();
    Stack {
        memory,
        alarms: times("Type: AWS::CloudWatch::Alarm"),
        dashboards: times("Type: AWS::CloudWatch::Dashboard"),
        polled: [(sources.len() - fifo) as f64, fifo as f64],
        is_traced: template.contains("Tracing: Active"),
        rests: template.contains("TableClass: STANDARD_INFREQUENT_ACCESS"),
        busy_ms: 0.0,
    }
}

/// From the table of the functions: warm time by calls to AWS.
fn busiest(measured: &str) -> Option<f64> {
    let (_, chapter) = measured.split_once("<!-- functions -->")?;
    let rows = chapter.lines().take_while(|line| !line.starts_with("<!-- end")).filter(|line| line.starts_with('|'));
    let mut rows = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<&str>>());
    let head = rows.next()?;
    let column = |name| head.iter().position(|cell| *cell == name);
    let (time, calls) = (column(functions::WARM_TIME)?, column(functions::CALLS)?);
    let of_row = |row: Vec<&str>| {
        let number = |cell: usize| row.get(cell)?.split(' ').next()?.parse::<f64>().ok();
        Some(number(time)? / number(calls)?.max(1.0))
    };
    rows.filter_map(of_row).max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::{busiest, read};
    use crate::bench::functions::{CALLS, COLUMNS, WARM_TIME};
    use crate::bench::table::Table;

    #[test]
    fn a_function_has_what_the_template_gives_it() {
        let template = "    MemorySize: 512\n  A:\n    Metadata: { BuildProperties: { Binary: webhook } }\n      MemorySize: 256\n  B:\n    Metadata: { BuildProperties: { Binary: outbound } }\n            Queue: !GetAtt PushesQueue.Arn\n            Queue: !GetAtt ChangesQueue.Arn\n    Type: AWS::CloudWatch::Alarm\n";
        let stack = read(template);
        assert_eq!((stack.memory("webhook"), stack.memory("outbound")), (0.25, 0.5));
        assert_eq!((stack.polled, stack.alarms, stack.is_traced), ([1.0, 1.0], 1.0, false));
    }

    #[test]
    fn processor_time_is_read_from_the_chapter_of_the_functions() {
        let mut table = Table::new(&COLUMNS);
        for (time, calls) in [("3.92 (2.46–6.61)", "6.0"), ("0.32", "1.0"), ("0.50", "0.0")] {
            let cells = COLUMNS.map(|column| match column {
                WARM_TIME => time,
                CALLS => calls,
                _ => "99",
            });
            table.rows.push(cells.map(str::to_owned).to_vec());
        }
        let page = format!("| other |\n<!-- functions -->\n{}<!-- end of functions -->\n", table.markdown());
        let busy = busiest(&page);
        assert!(busy.is_some_and(|ms| (ms - 3.92 / 6.0).abs() < 1e-9), "{busy:?}");
        assert!(busiest("").is_none());
    }
}
