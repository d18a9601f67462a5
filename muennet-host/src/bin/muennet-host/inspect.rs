// SPDX-License-Identifier: MIT OR Apache-2.0
//! `muennet-host inspect`.

use anyhow::{ensure, Context, Result};
use clap::ValueEnum;
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyModifiers};
use muennet_core::config::Mode;
use muennet_host::{
    attach::read_file,
    inspect::{
        record::{is_standard_output, Record},
        report::{Report, Reporter, Title},
        view::{draw, text, Panel},
        Watch,
    },
    ivshmem::observer::Observer,
    mapping::Input,
    printable::one_line,
    wait::{self, Stop},
};
use std::{
    fmt,
    io::{self, ErrorKind, IsTerminal, Write},
    os::fd::AsFd,
    path::PathBuf,
    time::{Duration, Instant},
};

/// Time between looks at the channels.
const LOOK: Duration = Duration::from_millis(1);
/// Columns of text that is no terminal's.
const WIDTH: u16 = 80;

/// Show channels live, and record their frames. Nothing is ever written to them.
///
/// On a terminal, q leaves. What a reader has read is not in the memory, so that
/// "filled" is what the channel holds, not what waits.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("where").required(true).args(["observe", "file"]))]
#[command(after_help = "Examples:\n  \
    muennet-host inspect --observe /run/muen/observe\n  \
    muennet-host inspect --file /muenfs/net_in --once\n  \
    muennet-host inspect --observe /run/muen/observe --channel testchannel_1 --pcap frames.pcapng\n  \
    muennet-host inspect --observe /run/muen/observe --pcap - | wireshark -k -i -")]
pub struct Args {
    /// Socket of muen-ivshmem --observe.
    #[arg(long, value_name = "SOCKET")]
    observe: Option<PathBuf>,

    /// File of a channel; may be given more than once.
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,

    /// Name of a channel to show, of all that muen-ivshmem has; may be given more
    /// than once.
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    channel: Vec<String>,

    /// Layout of packets in elements.
    #[arg(long, value_enum, default_value = "eth_dev")]
    mode: ModeArg,

    /// Milliseconds between reports.
    #[arg(long, value_name = "MS", default_value_t = 500,
          value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    interval: u64,

    /// Report once, after one interval, and leave.
    #[arg(long)]
    once: bool,

    /// Report as JSON, a line for each channel and interval.
    #[arg(long)]
    json: bool,

    /// Record the frames as pcapng; with - the standard output is the capture, and
    /// nothing else is shown.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,

    /// Begin with the frames that the channels still hold.
    #[arg(long)]
    history: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum ModeArg {
    /// Ethernet frames (flags=eth_dev).
    #[value(name = "eth_dev", alias = "ethernet")]
    Ethernet,
    /// IP packets with a mark (flags=net_hdr).
    NetHdr,
    /// Elements as they are (no flag).
    Raw,
}

/// A channel that is shown.
struct Shown {
    watch: Watch,
    reporter: Reporter,
}

/// Shows the channels until a signal comes.
pub fn run(args: &Args) -> Result<()> {
    let captures = args.pcap.as_deref().is_some_and(is_standard_output);
    ensure!(
        !captures || !args.json,
        "--json and --pcap - both write to the standard output; give --pcap a file"
    );
    ensure!(
        !captures || !io::stdout().is_terminal(),
        "a capture is not for a terminal; pipe it to wireshark -k -i -, or give --pcap a file"
    );
    let stop = Stop::on_signals()?;
    let mut shown = open(args)?;
    let titles = shown
        .iter()
        .map(|channel| (channel.reporter.title().name.as_str(), channel.watch.mode()));
    let mut record = match &args.pcap {
        Some(path) => {
            let fail = || format!("cannot record to {}", path.display());
            Some(Record::create(path, titles).with_context(fail)?)
        }
        None => None,
    };
    if let Some(path) = &args.pcap {
        note(format_args!(
            "recording to {}; end it with Ctrl-C",
            path.display()
        ));
    }
    let shows = io::stdout().is_terminal() && !args.json && !args.once;
    let result = if captures {
        capture(args, &stop, &mut shown, &mut record)
    } else if shows {
        live(args, &stop, &mut shown, &mut record)
    } else {
        print(args, &stop, &mut shown, &mut record)
    };
    if let Some(record) = &record {
        let lost: u64 = shown.iter().map(|channel| channel.watch.seen().lost).sum();
        note(format_args!(
            "{} frames recorded, {lost} lost",
            record.frames()
        ));
    }
    result
}

/// Says something beside the output. A closed stream is no reason to end.
fn note(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{}", one_line(line.to_string()));
}

fn open(args: &Args) -> Result<Vec<Shown>> {
    let mode = match args.mode {
        ModeArg::Ethernet => Mode::Ethernet,
        ModeArg::NetHdr => Mode::NetHdr,
        ModeArg::Raw => Mode::Raw,
    };
    let history = if args.history { u64::MAX } else { 1 };
    let shown = |memory: Input, title: Title| -> Result<Shown> {
        let watch = Watch::new(memory, mode, history);
        let watch = watch.with_context(|| title.name.clone())?;
        let reporter = Reporter::new(title);
        Ok(Shown { watch, reporter })
    };
    let Some(socket) = &args.observe else {
        let title = |path: &PathBuf| Title {
            name: one_line(path),
            writer: None,
            reader: None,
        };
        let files = args.file.iter();
        return files
            .map(|path| shown(read_file(path)?, title(path)))
            .collect();
    };
    let observer = Observer::connect(socket)
        .context("the socket is there if muen-ivshmem was started with --observe")?;
    for name in &args.channel {
        ensure!(
            observer.channels().iter().any(|it| it.name == *name),
            "there is no channel \"{name}\"; there are {}",
            observer
                .channels()
                .iter()
                .map(|channel| channel.name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    let channels = observer.channels().iter();
    channels
        .filter(|it| args.channel.is_empty() || args.channel.contains(&it.name))
        .map(|channel| {
            let title = Title {
                name: channel.name.clone(),
                writer: channel.writer.clone(),
                reader: channel.reader.clone(),
            };
            shown(observer.input(channel)?, title)
        })
        .collect()
}

/// Takes what is new in all channels.
fn look(shown: &mut [Shown], record: &mut Option<Record>) -> Result<()> {
    for (number, channel) in shown.iter_mut().enumerate() {
        channel.watch.look(|frame, meta, lost| match record {
            Some(record) => record.add(number, frame, meta.mark, lost),
            None => Ok(()),
        })?;
    }
    Ok(())
}

fn reports(shown: &mut [Shown]) -> Vec<(Report, Vec<u64>)> {
    let report = |channel: &mut Shown| {
        let report = channel.reporter.report(&channel.watch);
        (report, channel.reporter.history().collect())
    };
    shown.iter_mut().map(report).collect()
}

fn panels(reports: &[(Report, Vec<u64>)]) -> Vec<Panel<'_>> {
    let panel = |(report, history)| Panel { report, history };
    reports
        .iter()
        .map(|(r, h)| panel((r, h.as_slice())))
        .collect()
}

/// Records alone: the standard output is the capture.
fn capture(
    args: &Args,
    stop: &Stop,
    shown: &mut [Shown],
    record: &mut Option<Record>,
) -> Result<()> {
    let end = args
        .once
        .then(|| Instant::now() + Duration::from_millis(args.interval));
    loop {
        let ends = stop.is_set() || end.is_some_and(|end| Instant::now() >= end);
        let looked = look(shown, record).and_then(|()| {
            let flushed = record.as_mut().map(Record::flush);
            Ok(flushed.transpose().map(drop)?)
        });
        match looked {
            // Whoever read it has seen enough.
            Err(error) if is_closed(&error) => return Ok(()),
            looked => looked?,
        }
        // Without frames nothing is written, which would tell of it.
        if ends || wait::is_closed(io::stdout())? {
            return Ok(());
        }
        wait::until(&[stop.as_fd()], LOOK)?;
    }
}

fn is_closed(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Prints reports, one after the other.
fn print(args: &Args, stop: &Stop, shown: &mut [Shown], record: &mut Option<Record>) -> Result<()> {
    let interval = Duration::from_millis(args.interval);
    look(shown, record)?;
    // What the first rates are counted from.
    reports(shown);
    let mut due = Instant::now() + interval;
    loop {
        while Instant::now() < due && !stop.is_set() {
            look(shown, record)?;
            wait::until(&[stop.as_fd()], LOOK)?;
        }
        look(shown, record)?;
        if let Some(record) = record {
            record.flush()?;
        }
        let reports = reports(shown);
        let mut out = io::stdout().lock();
        let written = if args.json {
            reports.iter().try_for_each(|(report, _)| {
                serde_json::to_writer(&mut out, report)?;
                writeln!(out)
            })
        } else {
            write!(out, "{}", text(panels(&reports), WIDTH))
        };
        match written.and_then(|()| out.flush()) {
            // Whoever read it has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
        if args.once || stop.is_set() {
            return Ok(());
        }
        due += interval;
    }
}

/// Draws on the terminal.
fn live(args: &Args, stop: &Stop, shown: &mut [Shown], record: &mut Option<Record>) -> Result<()> {
    let mut terminal = ratatui::try_init().context("cannot draw on this terminal")?;
    let result = draw_on(&mut terminal, args, stop, shown, record);
    ratatui::restore();
    result
}

fn draw_on(
    terminal: &mut ratatui::DefaultTerminal,
    args: &Args,
    stop: &Stop,
    shown: &mut [Shown],
    record: &mut Option<Record>,
) -> Result<()> {
    let interval = Duration::from_millis(args.interval);
    let mut due = Instant::now();
    while !stop.is_set() {
        look(shown, record)?;
        if Instant::now() >= due {
            due = Instant::now() + interval;
            if let Some(record) = record {
                record.flush()?;
            }
            let reports = reports(shown);
            terminal.draw(|frame| draw(panels(&reports), frame.area(), frame.buffer_mut()))?;
        }
        if event::poll(LOOK)? {
            match event::read()? {
                Event::Key(key) if leaves(key) => return Ok(()),
                Event::Resize(..) => due = Instant::now(),
                _ => {}
            }
        }
    }
    Ok(())
}

fn leaves(key: KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
        || (control && key.code == KeyCode::Char('c'))
}
