//! A table, for the terminal and for a page.

use console::measure_text_width;

pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Table {
        Table { head: head.iter().map(|name| (*name).to_owned()).collect(), rows: Vec::new() }
    }

    pub(super) fn print(&self) {
        let width = |column: usize| {
            let cells = self.all().filter_map(|row| row.get(column));
            cells.map(|cell| measure_text_width(cell)).max().unwrap_or_default()
        };
        println!();
        for row in self.all() {
            let cells = row.iter().enumerate().map(|(column, cell)| {
                let blank = " ".repeat(width(column) - measure_text_width(cell));
                if column == 0 { format!("  {cell}{blank}") } else { format!("  {blank}{cell}") }
            });
            println!("{}", cells.collect::<String>());
        }
        println!();
    }

    pub(super) fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = format!("|---|{}\n", "---:|".repeat(self.head.len().saturating_sub(1)));
        line(&self.head) + &rule + &self.rows.iter().map(|row| line(row)).collect::<String>()
    }

    fn all(&self) -> impl Iterator<Item = &Vec<String>> {
        std::iter::once(&self.head).chain(&self.rows)
    }
}
