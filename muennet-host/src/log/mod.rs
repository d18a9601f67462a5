// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program's log: lines that a thread writes, so that nobody who reads slowly, or not at
//! all, stops the program.

mod limit;

pub use limit::RateLimit;

use std::{
    io::Write,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{channel, sync_channel, Receiver, RecvTimeoutError, SyncSender},
        Arc,
    },
    thread,
    time::Duration,
};

/// At its end the log waits so long for its reader.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Lines on their way to a writer.
///
/// [`say`](Self::say) never blocks and never fails: what does not fit is left out, and
/// the next line that fits says how many were. A writer that fails, as a closed pipe does,
/// gets no more.
///
/// ```
/// let log = muennet_host::log::Log::new(std::io::stdout(), 100);
/// log.say("ready");
/// ```
#[derive(Debug)]
pub struct Log {
    lines: Option<SyncSender<String>>,
    omitted: Arc<AtomicU64>,
    ended: Receiver<()>,
}

impl Log {
    /// A log into `target` that holds up to `room` lines which were not written yet.
    pub fn new(target: impl Write + Send + 'static, room: usize) -> Self {
        let (lines, to_write) = sync_channel(room);
        let (end, ended) = channel();
        let omitted = Arc::new(AtomicU64::new(0));
        let counter = omitted.clone();
        thread::spawn(move || {
            write_all(target, &to_write, &counter);
            drop(end);
        });
        Self {
            lines: Some(lines),
            omitted,
            ended,
        }
    }

    /// Adds a line.
    pub fn say(&self, line: &str) {
        let sent = self
            .lines
            .as_ref()
            .map(|lines| lines.try_send(line.to_owned()));
        if !matches!(sent, Some(Ok(()))) {
            self.omitted.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write_all(mut target: impl Write, lines: &Receiver<String>, omitted: &AtomicU64) {
    for line in lines {
        let mut text = format!("{line}\n");
        match omitted.swap(0, Ordering::Relaxed) {
            0 => {}
            count => text += &format!("{count} lines left out, nobody read them\n"),
        }
        let written = target
            .write_all(text.as_bytes())
            .and_then(|()| target.flush());
        if written.is_err() {
            return;
        }
    }
}

/// Waits a little for the last lines to be written.
impl Drop for Log {
    fn drop(&mut self) {
        drop(self.lines.take());
        // It ends by the thread's end, which sends nothing.
        let _: Result<(), RecvTimeoutError> = self.ended.recv_timeout(LAST_WORDS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    /// Takes a line for each permission; fails when there are no more.
    struct Slow {
        permits: Receiver<()>,
        written: std::sync::mpsc::Sender<String>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let closed = |_| io::Error::from(io::ErrorKind::BrokenPipe);
            self.permits.recv().map_err(closed)?;
            let text = String::from_utf8_lossy(bytes).into_owned();
            self.written.send(text).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_does_not_read_stops_nobody() {
        let (permit, permits) = channel();
        let (written, read) = channel();
        let log = Log::new(Slow { permits, written }, 4);
        for number in 0..1000 {
            log.say(&format!("line {number}"));
        }
        permit.send(()).unwrap();
        assert!(read.recv().unwrap().starts_with("line 0\n"));
        // Another line is let in, behind which the lost ones are told of.
        log.say("more");
        drop(permit);
        log.say("closed");
        drop(log);
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let lines = ["a", "b"].map(str::to_owned);
        let (sender, receiver) = channel();
        for line in lines {
            sender.send(line).unwrap();
        }
        drop(sender);
        let mut text = Vec::new();
        write_all(&mut text, &receiver, &AtomicU64::new(7));
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, "a\n7 lines left out, nobody read them\nb\n");
    }
}
