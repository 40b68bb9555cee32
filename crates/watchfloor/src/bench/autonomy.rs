//! `watchfloor bench autonomy`: how often the bound promotes what has not deserved it, and a plot of histories against the bars.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use watchfloor_govern::autonomy::bound::{Share, lower, needed};

use super::figure;

/// Histories that are simulated for each bar.
const HISTORIES: u64 = 10_000;
/// Outcomes in each.
const OUTCOMES: u64 = 10_000;
/// The bars of levels 3 and 4, in percent.
const BARS: [(u8, u8); 2] = [(3, 95), (4, 99)];
/// Chances of an agreement that are drawn, with their colours.
const DRAWN: [(u32, &str); 4] =
    [(999_000, "#0b57a4"), (990_000, "#2a7d4f"), (970_000, "#b0770c"), (950_000, "#7d1128")];
/// Histories that are drawn for each chance.
const LINES: u64 = 6;
/// Steps of a line: from 10 outcomes to 10,000, at even distances of the logarithm.
const STEPS: u32 = 120;

/// Measures, and draws if it is told where.
pub fn run(plot: Option<&Path>) -> anyhow::Result<()> {
    for (level, bar) in BARS {
        let bar = Share::percent(bar);
        let clean = needed(0, bar, u64::MAX >> 24).context("the bar cannot be reached")?;
        figure(&format!("autonomy.clean_outcomes_level_{level}"), clean as f64, "outcomes", 1)?;
        let wrong = wrongly_promoted(bar) as f64 / HISTORIES as f64;
        let name = format!("autonomy.promoted_at_the_bar_level_{level}");
        figure(&name, wrong * 100.0, "percent", usize::try_from(HISTORIES)?)?;
    }
    if let Some(path) = plot {
        std::fs::write(path, draw()?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// splitmix64: the same histories on every machine.
struct Dice(u64);

impl Dice {
    fn happens(&mut self, chance: Share) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        u128::from(z) * u128::from(Share::ALL.parts()) < u128::from(chance.parts()) << 64
    }
}

/// Histories with a chance at the bar, not above it, whose bound ever reaches it, looking after every outcome.
fn wrongly_promoted(bar: Share) -> u64 {
    let fewest: Vec<u64> =
        (0..=OUTCOMES).map(|failed| needed(failed, bar, u64::MAX >> 24).unwrap_or(u64::MAX)).collect();
    let mut dice = Dice(20);
    let mut promoted = 0;
    for _ in 0..HISTORIES {
        let (mut agreed, mut by_failures) = (0, fewest.iter().copied());
        let mut least = by_failures.next().unwrap_or(u64::MAX);
        let mut ever = false;
        for _ in 0..OUTCOMES {
            if dice.happens(bar) {
                agreed += 1;
            } else {
                least = by_failures.next().unwrap_or(u64::MAX);
            }
            ever |= agreed >= least;
        }
        promoted += u64::from(ever);
    }
    promoted
}

/// Lower bounds of a history, each with its number of outcomes.
fn history(chance: Share, seed: u64) -> Vec<(u64, f64)> {
    let mut dice = Dice(seed);
    let (mut agreed, mut failed, mut step) = (0, 0, 0);
    let mut points = Vec::new();
    for outcome in 1..=OUTCOMES {
        if dice.happens(chance) {
            agreed += 1
        } else {
            failed += 1
        }
        let due = 10.0_f64.powf(1.0 + 3.0 * f64::from(step) / f64::from(STEPS)).round() as u64;
        if outcome >= due {
            points.push((outcome, lower(agreed, failed).parts() as f64 / Share::ALL.parts() as f64));
            while step <= STEPS
                && 10.0_f64.powf(1.0 + 3.0 * f64::from(step) / f64::from(STEPS)).round() as u64 <= outcome
            {
                step += 1;
            }
        }
    }
    points
}

const LEFT: f64 = 64.0;
const RIGHT: f64 = 610.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 348.0;
/// Where the vertical axis begins: bounds below are not drawn.
const LEAST: f64 = 0.8;

fn across(outcomes: u64) -> f64 {
    LEFT + (RIGHT - LEFT) * ((outcomes as f64).log10() - 1.0) / 3.0
}

fn down(bound: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * (bound - LEAST) / (1.0 - LEAST)
}

fn draw() -> anyhow::Result<String> {
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 400\" role=\"img\" aria-labelledby=\"t d\" font-family=\"system-ui, sans-serif\" font-size=\"13\">
<title id=\"t\">Lower bounds of histories against the bars of levels 3 and 4</title>
<desc id=\"d\">Six histories each of machines that agree with people in 99.9, 99, 97 and 95 percent of cases. Those at 99.9 percent pass the bar of level 4 after one to two thousand outcomes, those at 99 and 97 percent only that of level 3, those at 95 percent none.</desc>
<rect width=\"760\" height=\"400\" fill=\"#ffffff\"/>\n",
    );
    for mark in [0.80, 0.85, 0.90, 0.95, 0.99, 1.0] {
        let (y, bar) = (down(mark), mark == 0.95 || mark == 0.99);
        let (colour, width, dash) =
            if bar { ("#17202a", 1.5, " stroke-dasharray=\"6 4\"") } else { ("#d5dbe1", 1.0, "") };
        writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"{dash}/>"
        )?;
        // The number for 1 stands a little higher than its line: that of 0.99 is near.
        let text = if mark == 1.0 { y - 2.0 } else { y + 5.0 };
        writeln!(svg, "<text x=\"56\" y=\"{text:.1}\" text-anchor=\"end\" fill=\"#4d5a67\">{mark:.2}</text>")?;
    }
    for (level, bar) in BARS {
        let y = down(f64::from(bar) / 100.0) + 14.0;
        writeln!(svg, "<text x=\"{:.0}\" y=\"{y:.1}\" fill=\"#17202a\">level {level}</text>", LEFT + 6.0)?;
    }
    for (outcomes, text) in [(10, "10"), (100, "100"), (1_000, "1,000"), (10_000, "10,000")] {
        let x = across(outcomes);
        writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"348\" x2=\"{x:.1}\" y2=\"353\" stroke=\"#4d5a67\"/><text x=\"{x:.1}\" y=\"368\" text-anchor=\"middle\" fill=\"#4d5a67\">{text}</text>"
        )?;
    }
    svg.push_str("<text x=\"337\" y=\"390\" text-anchor=\"middle\" fill=\"#17202a\">outcomes (logarithmic)</text>\n<text x=\"16\" y=\"186\" text-anchor=\"middle\" fill=\"#17202a\" transform=\"rotate(-90 16 186)\">lower bound on agreements</text>\n");
    for (chance, colour) in DRAWN {
        let mut ends = 0.0;
        for line in 0..LINES {
            let points = history(Share::millionths(chance), u64::from(chance) + line);
            ends += points.last().map_or(0.0, |(_, bound)| *bound) / LINES as f64;
            // A line begins where it stays within the picture.
            let below = points.iter().rposition(|(_, bound)| *bound < LEAST).map_or(0, |last| last + 1);
            let points = points.into_iter().skip(below);
            let points: Vec<String> =
                points.map(|(outcomes, bound)| format!("{:.1},{:.1}", across(outcomes), down(bound))).collect();
            writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.4\" stroke-opacity=\"0.75\"/>",
                points.join(" ")
            )?;
        }
        // Names stand in the margin; the two upper ones are moved apart.
        let y = down(ends) + if chance == 999_000 { 0.0 } else { 8.0 };
        writeln!(
            svg,
            "<text x=\"618\" y=\"{y:.1}\" fill=\"{colour}\">agrees in {} %</text>",
            f64::from(chance) / 10_000.0
        )?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}
