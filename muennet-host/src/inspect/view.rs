// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reports drawn for a terminal.

use super::report::Report;
use ratatui::{
    buffer::Buffer,
    layout::{Alignment, Constraint, Layout, Rect},
    style::{Color, Modifier, Style, Stylize},
    text::{Line, Span},
    widgets::{Block, BorderType, Gauge, Padding, Paragraph, Sparkline, Widget, Wrap},
};

/// Lines of the facts: the header's and what was seen.
const FACTS: u16 = 6;
/// Columns of the names before the facts.
const LABEL: usize = 10;

/// A channel's panel: its report, and its last rates.
#[derive(Debug)]
pub struct Panel<'a> {
    /// The report to show.
    pub report: &'a Report,
    /// Elements per second, the newest last.
    pub history: &'a [u64],
}

impl Panel<'_> {
    /// Lines that the panel takes.
    pub fn height(&self) -> u16 {
        let decoded = self
            .report
            .last
            .as_ref()
            .map_or(0, |last| last.decoded.len());
        // A fault may need two.
        let fault = 2 * usize::from(self.report.fault.is_some());
        // CAST: a frame has few headers.
        2 + FACTS + 1 + (decoded + fault).min(20) as u16
    }

    fn title(&self) -> Line<'static> {
        let title = &self.report.title;
        let mut words = vec![Span::from(format!(" {} ", title.name)).bold()];
        if let (Some(writer), Some(reader)) = (&title.writer, &title.reader) {
            words.push(format!("{writer} → {reader} ").into());
        }
        Line::from(words)
    }

    fn state(&self) -> Line<'static> {
        let color = match self.report.state {
            "up" => Color::Green,
            "down" => Color::Yellow,
            _ => Color::Red,
        };
        Line::from(format!(" {} ", self.report.state)).style(Style::new().fg(color).bold())
    }

    fn facts(&self) -> Vec<Line<'static>> {
        let header = &self.report.header;
        let (seen, rates) = (&self.report.seen, &self.report.rates);
        let transport = if header.transport_known {
            "SHMStream 2".to_owned()
        } else {
            format!("unknown transport {}", header.transport)
        };
        let epoch = match header
            .epoch
            .trim_start_matches("0x")
            .trim_start_matches('0')
        {
            "" => "none: the writer is inactive".to_owned(),
            _ => format!("{}, {} seen", header.epoch, count(seen.epochs, "start")),
        };
        let place = match header.slot {
            Some(slot) => format!("{}, next in slot {slot}", header.written),
            None => header.written.to_string(),
        };
        let writing = header.write_start.wrapping_sub(header.written);
        let at_work = match writing {
            0 => String::new(),
            writing => format!(", {writing} being written"),
        };
        vec![
            fact("epoch", epoch),
            fact(
                "protocol",
                format!("{}, {}, {transport}", header.protocol, self.report.mode),
            ),
            fact(
                "elements",
                format!(
                    "{} of {} bytes in {} bytes",
                    header.elements, header.element_size, self.report.region
                ),
            ),
            fact("written", place + &at_work),
            fact(
                "rate",
                format!(
                    "{} frames/s, {}bit/s",
                    scaled(rates.elements_per_second).trim_end(),
                    scaled(rates.bits_per_second)
                ),
            ),
            fact(
                "seen",
                format!(
                    "{}, {} bytes, {} lost, {} rejected",
                    count(seen.frames, "frame"),
                    seen.bytes,
                    seen.lost,
                    seen.rejected
                ),
            ),
        ]
    }

    fn newest(&self) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        if let Some(fault) = &self.report.fault {
            lines.push(fact("fault", fault.clone()).style(Color::Red));
        }
        match &self.report.last {
            None => lines.push(fact("last", "no frame yet".to_owned())),
            Some(last) => {
                let mark = match last.mark {
                    0 => String::new(),
                    mark => format!(", mark {mark}"),
                };
                let age = last.age_ms as f64 / 1000.0;
                lines.push(fact(
                    "last",
                    format!("{} bytes{mark}, {age:.1} s ago", last.len),
                ));
                let decoded = last.decoded.iter();
                lines
                    .extend(decoded.map(|line| Line::from(format!("  {line}")).style(Color::Cyan)));
            }
        }
        lines
    }
}

impl Widget for Panel<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let border = Block::bordered()
            .border_type(BorderType::Rounded)
            .padding(Padding::horizontal(1))
            .title(self.title())
            .title(self.state().alignment(Alignment::Right));
        let inner = border.inner(area);
        border.render(area, buffer);
        let [facts, newest] =
            Layout::vertical([Constraint::Length(FACTS), Constraint::Min(0)]).areas(inner);
        let [facts, side] =
            Layout::horizontal([Constraint::Min(0), Constraint::Length(16)]).areas(facts);
        Paragraph::new(self.facts()).render(facts, buffer);
        Paragraph::new(self.newest())
            .wrap(Wrap { trim: false })
            .render(newest, buffer);
        let [rates, _, filled] = Layout::vertical([
            Constraint::Length(4),
            Constraint::Min(0),
            Constraint::Length(1),
        ])
        .areas(side);
        let shown = self.history.len().saturating_sub(rates.width.into());
        Sparkline::default()
            .data(&self.history[shown..])
            .style(Color::Green)
            .render(rates, buffer);
        let header = &self.report.header;
        let part = header.filled as f64 / header.elements.max(1) as f64;
        Gauge::default()
            .ratio(part.clamp(0.0, 1.0))
            .label(format!("filled {:.0} %", part * 100.0))
            .gauge_style(Style::new().fg(Color::Blue).add_modifier(Modifier::DIM))
            .render(filled, buffer);
    }
}

/// Draws panels one below the other, as many as there is room for.
pub fn draw(panels: Vec<Panel<'_>>, area: Rect, buffer: &mut Buffer) {
    let mut rest = area;
    for panel in panels {
        let height = panel.height().min(rest.height);
        if height < 3 {
            break;
        }
        let [here, below] =
            Layout::vertical([Constraint::Length(height), Constraint::Min(0)]).areas(rest);
        panel.render(here, buffer);
        rest = below;
    }
}

/// Panels as text, `width` columns wide.
pub fn text(panels: Vec<Panel<'_>>, width: u16) -> String {
    let height = panels.iter().map(Panel::height).sum();
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(panels, area, &mut buffer);
    let mut text = String::new();
    for row in area.rows() {
        let line: String = row
            .columns()
            .map(|cell| buffer[(cell.x, cell.y)].symbol().to_owned())
            .collect();
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn fact(label: &'static str, value: String) -> Line<'static> {
    Line::from(vec![
        Span::from(format!("{label:<LABEL$}")).dim(),
        value.into(),
    ])
}

fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// A number with three or four digits and its unit's prefix.
fn scaled(value: f64) -> String {
    match value {
        v if v < 1e3 => format!("{v:.0} "),
        v if v < 1e6 => format!("{:.1} k", v / 1e3),
        v if v < 1e9 => format!("{:.1} M", v / 1e6),
        v => format!("{:.1} G", v / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::report::{HeaderReport, LastReport, Rates, SeenReport, Title};
    use muennet_core::framing::Mode;

    fn report() -> Report {
        Report {
            unix_ms: 1_760_000_000_000,
            title: Title {
                name: "net|in".into(),
                writer: Some("linux".into()),
                reader: Some("echo".into()),
            },
            state: "up",
            fault: None,
            mode: Mode::Ethernet.name(),
            region: 4 << 20,
            header: HeaderReport {
                transport: "0x487312b6b79a9b6d".into(),
                transport_known: true,
                epoch: "0x71fd4edb5c2e1c3b".into(),
                protocol: "0x7ade5c549b08e814".into(),
                element_size: 1516,
                elements: 2766,
                write_start: 9220,
                written: 9220,
                slot: Some(922),
                filled: 2766,
            },
            rates: Rates {
                elements_per_second: 12_345.0,
                bits_per_second: 149e6,
            },
            seen: SeenReport {
                frames: 9220,
                bytes: 13_000_000,
                lost: 0,
                rejected: 0,
                epochs: 1,
            },
            last: Some(LastReport {
                len: 66,
                mark: 0,
                age_ms: 200,
                decoded: vec!["EthernetII src=…".into(), "└ IPv4 …".into()],
            }),
        }
    }

    #[test]
    fn a_panel_has_what_one_looks_for() {
        let report = report();
        let panel = Panel {
            report: &report,
            history: &[1, 5, 8],
        };
        let text = text(vec![panel], 80);
        for words in [
            "net|in linux → echo",
            "up ",
            "epoch     0x71fd4edb5c2e1c3b, 1 start seen",
            "2766 of 1516 bytes in 4194304 bytes",
            "written   9220, next in slot 922",
            "12.3 k frames/s, 149.0 Mbit/s",
            "last      66 bytes, 0.2 s ago",
            "└ IPv4",
            "filled 100 %",
        ] {
            assert!(text.contains(words), "{words:?} is not in\n{text}");
        }
        assert_eq!(text.lines().count(), 11);
    }

    #[test]
    fn names_play_no_tricks_with_the_screen() {
        let names = [
            "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m",
            "a\nb\r\tc\0d\u{7f}",
            &"\\x1b".repeat(63),
            &"\u{5b57}".repeat(63),
            &"e\u{301}\u{200d}".repeat(63),
        ];
        for name in names {
            let mut lie = report();
            lie.title = Title {
                name: name.to_owned(),
                writer: Some(name.to_owned()),
                reader: Some(name.to_owned()),
            };
            lie.last.as_mut().unwrap().decoded = vec![name.to_owned(); 3];
            for width in [10, 40, 80] {
                let panel = Panel {
                    report: &lie,
                    history: &[1],
                };
                let text = text(vec![panel], width);
                assert!(
                    !text.chars().any(|c| c.is_control() && c != '\n'),
                    "{text:?}"
                );
                // A panel is as high as any other: no name makes lines of its own.
                assert_eq!(text.lines().count(), 12, "{text}");
                assert!(width < 40 || text.contains("up "), "{text}");
            }
        }
    }

    /// The bytes that the terminal gets: the program's own sequences for places and colours,
    /// and printable text.
    #[test]
    fn the_live_screen_gets_no_sequence_of_a_name() {
        use ratatui::{backend::CrosstermBackend, Terminal, TerminalOptions, Viewport};
        let names = [
            "\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}c\u{9b}31m\u{90}q\u{9c}",
            "a\nb\rc\td\0e\u{8}\u{7f}\u{85}",
            "\u{fffd}\u{fffd}\u{5b57}e\u{301}",
        ];
        for name in names {
            let name = name.repeat(20);
            let mut lie = report();
            lie.title = Title {
                name: name.clone(),
                writer: Some(name.clone()),
                reader: Some(name.clone()),
            };
            lie.fault = Some(name.clone());
            lie.last.as_mut().unwrap().decoded = vec![name.clone(); 3];
            let mut bytes = Vec::new();
            let area = Rect::new(0, 0, 100, 24);
            let options = TerminalOptions {
                viewport: Viewport::Fixed(area),
            };
            let mut terminal =
                Terminal::with_options(CrosstermBackend::new(&mut bytes), options).unwrap();
            terminal
                .draw(|frame| {
                    let panel = Panel {
                        report: &lie,
                        history: &[1],
                    };
                    draw(vec![panel], frame.area(), frame.buffer_mut());
                })
                .unwrap();
            drop(terminal);
            let sent = String::from_utf8(bytes).unwrap();
            assert!(sent.contains("┌") || sent.contains("╭"), "{sent:?}");
            let mut parts = sent.split("\u{1b}[");
            assert!(!parts.next().unwrap().contains(char::is_control));
            for part in parts {
                // Parameters, then one letter: a place, a colour, or the cursor.
                let end = part.find(|c: char| !"0123456789;?".contains(c)).unwrap();
                assert!("Hmhl".contains(&part[end..=end]), "{part:?}");
                assert!(!part.contains(char::is_control), "{part:?}");
            }
        }
    }

    #[test]
    fn a_lie_is_no_reason_to_fail() {
        let mut lie = report();
        lie.state = "faulty";
        lie.fault = Some("element count is 0".into());
        lie.header.elements = 0;
        lie.header.filled = u64::MAX;
        lie.header.written = u64::MAX;
        lie.header.write_start = 0;
        lie.header.slot = None;
        let panels = |report| {
            vec![Panel {
                report,
                history: &[u64::MAX, 0],
            }]
        };
        assert!(text(panels(&lie), 80).contains("fault     element count is 0"));
        for width in 0..30 {
            text(panels(&lie), width);
            let area = Rect::new(0, 0, 80, width);
            draw(panels(&lie), area, &mut Buffer::empty(area));
        }
    }
}
