//! Bars, as SVG that reads on white and on black.

use super::figures::{Spread, short};
use std::fmt::Write;

/// One bar for each name: as long as its median, with a line from the least to the most.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) unit: &'a str,
    pub(super) bars: Vec<(&'a str, Spread)>,
}

const LABEL: f64 = 190.0;
const LONGEST: f64 = 400.0;
const ROW: f64 = 28.0;
const TOP: f64 = 40.0;
/// The first bar is ours.
const COLOURS: [&str; 2] = ["#c2410c", "#64748b"];

impl Plot<'_> {
    pub(super) fn svg(&self) -> String {
        let most = self.bars.iter().map(|(_, spread)| spread.high).fold(f64::MIN_POSITIVE, f64::max);
        let (width, height) = (LABEL + LONGEST + 120.0, TOP + ROW * self.bars.len() as f64 + 10.0);
        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{title}" font-family="system-ui, sans-serif" font-size="13" fill="#7c8696"><text x="0" y="18" font-size="15" font-weight="600">{title}, {unit}</text>"##,
            title = self.title,
            unit = self.unit,
        );
        for (place, (name, spread)) in self.bars.iter().enumerate() {
            let y = TOP + ROW * place as f64;
            let [low, median, high] = [spread.low, spread.median, spread.high].map(|value| LONGEST * value / most);
            let colour = COLOURS[place.min(1)];
            // Writing to a text cannot fail.
            let _ = write!(
                svg,
                r#"<text x="{x}" y="{text}" text-anchor="end">{name}</text><rect x="{LABEL}" y="{y}" width="{median:.1}" height="18" rx="2" fill="{colour}"/><path d="M{from:.1} {middle}H{to:.1}" stroke="currentColor" stroke-width="1.5"/><text x="{after:.1}" y="{text}">{said}</text>"#,
                x = LABEL - 8.0,
                text = y + 14.0,
                middle = y + 9.0,
                from = LABEL + low,
                to = LABEL + high,
                after = LABEL + high.max(median) + 8.0,
                said = short(spread.median),
            );
        }
        svg + "</svg>\n"
    }
}
