// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rounds as a plot.

use crate::rounds::Results;
use anyhow::Result;
use plotters::prelude::*;
use std::path::Path;

const SIZE: (u32, u32) = (860, 340);
const OURS: RGBColor = RGBColor(0x1f, 0x77, 0xb4);
const OTHERS: RGBColor = RGBColor(0x99, 0x99, 0x99);

/// Bars of one chart: a label, its rounds, and whether it is ours.
type Bars<'a> = [(&'a str, &'a [f64], bool)];

/// Draws bars of the best, and a dot for each round.
pub fn draw(results: &Results, path: &Path) -> Result<()> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(SIZE.0 * 3 / 5);
    chart(
        &left,
        "TCP of smoltcp, Gbit/s (more is better)",
        &[
            ("queue, 1 thread", &results.alone, false),
            ("queue, 2 threads", &results.queue, false),
            ("channels", &results.channel, true),
            ("TAPs", &results.tap, false),
        ],
        f64::max,
    )?;
    chart(
        &right,
        "there and back, ns (less is better)",
        &[
            ("cache line", &results.line, false),
            ("by hand", &results.by_hand, false),
            ("64-byte frame", &results.frame, true),
        ],
        f64::min,
    )?;
    root.present()?;
    Ok(())
}

fn chart(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    title: &str,
    bars: &Bars<'_>,
    better: fn(f64, f64) -> f64,
) -> Result<()> {
    let top = bars
        .iter()
        .flat_map(|(_, rounds, _)| rounds.iter().copied());
    let top = top.fold(0.0, f64::max) * 1.15;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16))
        .margin(10)
        .x_label_area_size(28)
        .y_label_area_size(48)
        .build_cartesian_2d(
            (0..bars.len()).into_segmented(),
            0.0..top.max(f64::MIN_POSITIVE),
        )?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_label_formatter(&|at| match at {
            SegmentValue::CenterOf(index) => bars
                .get(*index)
                .map_or_else(String::new, |bar| bar.0.to_owned()),
            _ => String::new(),
        })
        .draw()?;
    for (index, (_, rounds, ours)) in bars.iter().enumerate() {
        let color = if *ours { OURS } else { OTHERS };
        let best = rounds.iter().copied().reduce(better).unwrap_or(0.0);
        let (from, to) = (SegmentValue::Exact(index), SegmentValue::Exact(index + 1));
        let mut bar = Rectangle::new([(from, 0.0), (to, best)], color.mix(0.6).filled());
        bar.set_margin(0, 0, 24, 24);
        chart.draw_series([bar])?;
        let dots = rounds.iter();
        chart.draw_series(dots.map(|value| {
            Circle::new((SegmentValue::CenterOf(index), *value), 3, color.filled())
        }))?;
    }
    Ok(())
}
