//! `watchfloor bench govern --growth`: the time of a decision against the number of entities, and against the number of policies.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;

use super::govern::{ENTITIES, Open, asked, measure, quantiles, read, state};
use super::{figure, questions};
use crate::decide::Book;

/// Numbers of entities, without policy.
const SIZES: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];
/// Numbers of policies, at 10,000 entities. The smallest set that has guards has 11.
const POLICIES: [usize; 3] = [11, 101, 1_001];
/// The set of one.
const ONE: &str = "@id(\"all\") @why(\"all\") permit (principal, action, resource) when { context.risk <= 100 };";

/// A number of things, and median and 99th percentile of the decisions with them, in microseconds.
type Point = (usize, [f64; 2]);

/// Measures, and draws if it is told where.
pub fn run(plot: Option<&Path>) -> anyhow::Result<()> {
    let entities = SIZES.into_iter().map(by_entities).collect::<anyhow::Result<Vec<Point>>>()?;
    let mut state = state(ENTITIES)?;
    let (asked, _) = asked(&mut state, ENTITIES);
    let mut policies = Vec::new();
    let sets = POLICIES.into_iter().map(|size| Ok((size, questions::policies(size)?)));
    for set in std::iter::once(anyhow::Ok((1, ONE.to_owned()))).chain(sets) {
        let (size, text) = set?;
        let set = read(text)?;
        let book = Book::of(&set);
        policies.push(point("policies", size, measure(&asked, &state, &book))?);
    }
    if let Some(path) = plot {
        std::fs::write(path, draw(&entities, &policies)?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn by_entities(size: usize) -> anyhow::Result<Point> {
    let mut state = state(size)?;
    let (asked, _) = asked(&mut state, size);
    point("entities", size, measure(&asked, &state, &Open))
}

/// Of the least times: what else the machine does would else be drawn.
fn point(of: &str, size: usize, [_, least]: [Vec<f64>; 2]) -> anyhow::Result<Point> {
    let times = quantiles(least);
    for (time, what) in times.into_iter().zip(["p50", "p99"]) {
        figure(&format!("govern.by_{of}.{what}"), time, "µs", size)?;
    }
    Ok((size, times))
}

const LEFT: f64 = 64.0;
const RIGHT: f64 = 590.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 348.0;

/// From 1 to 100,000.
fn across(size: usize) -> f64 {
    LEFT + (RIGHT - LEFT) * (size as f64).log10() / 5.0
}

fn down(time: f64, most: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * time / most
}

fn draw(entities: &[Point], policies: &[Point]) -> anyhow::Result<String> {
    let highest = entities.iter().chain(policies).map(|(_, [_, p99])| *p99).fold(0.0, f64::max);
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0].into_iter().find(|step| highest <= 6.0 * step).unwrap_or(500.0);
    let most = (highest / step).ceil() * step;
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 400\" role=\"img\" aria-labelledby=\"t d\" font-family=\"system-ui, sans-serif\" font-size=\"13\">
<title id=\"t\">Time of a decision against the number of entities and of policies</title>
<desc id=\"d\">",
    );
    for (what, points) in [("entities, without policy", entities), ("policies, at 10,000 entities", policies)] {
        for (size, [p50, p99]) in points {
            write!(svg, "{size} {what}: median {p50:.1}, 99th percentile {p99:.1} microseconds. ")?;
        }
    }
    svg.push_str("</desc>\n<rect width=\"760\" height=\"400\" fill=\"#ffffff\"/>\n");
    for mark in (0..).map(|line| f64::from(line) * step).take_while(|mark| *mark <= most) {
        let y = down(mark, most);
        writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\" stroke=\"#d5dbe1\"/><text x=\"56\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#4d5a67\">{mark}</text>",
            y + 4.0
        )?;
    }
    let marks = [(1, "1"), (10, "10"), (100, "100"), (1_000, "1,000"), (10_000, "10,000"), (100_000, "100,000")];
    for (size, text) in marks {
        let x = across(size);
        writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"348\" x2=\"{x:.1}\" y2=\"353\" stroke=\"#4d5a67\"/><text x=\"{x:.1}\" y=\"368\" text-anchor=\"middle\" fill=\"#4d5a67\">{text}</text>"
        )?;
    }
    svg.push_str("<text x=\"327\" y=\"390\" text-anchor=\"middle\" fill=\"#17202a\">entities, or policies (logarithmic)</text>\n<text x=\"16\" y=\"186\" text-anchor=\"middle\" fill=\"#17202a\" transform=\"rotate(-90 16 186)\">microseconds for a decision</text>\n");
    line(&mut svg, most, "entities", "#0b57a4", entities)?;
    line(&mut svg, most, "policies", "#7d1128", policies)?;
    svg.push_str("</svg>\n");
    Ok(svg)
}

/// A line for the median, and a dashed one for the 99th percentile, with their names at their ends.
fn line(svg: &mut String, most: f64, name: &str, colour: &str, points: &[Point]) -> anyhow::Result<()> {
    let median = points.iter().map(|(size, [p50, _])| (across(*size), down(*p50, most)));
    let tail = points.iter().map(|(size, [_, p99])| (across(*size), down(*p99, most)));
    let lines: [(Vec<(f64, f64)>, _, _); 2] =
        [(median.collect(), "", ""), (tail.collect(), " stroke-dasharray=\"6 4\"", ", 99 %")];
    for (places, dash, which) in lines {
        let shown: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>",
            shown.join(" ")
        )?;
        let (x, y) = places.last().copied().unwrap_or((LEFT, BOTTOM));
        writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}{which}</text>", x + 8.0, y + 4.0)?;
    }
    Ok(())
}
