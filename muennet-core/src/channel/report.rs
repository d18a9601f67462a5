// SPDX-License-Identifier: MIT OR Apache-2.0
//! Log messages of a reader about its peer, through the crate `log`.

use super::Peer;

/// Reports changes of the peer, ever more seldom: the first, the second, the
/// fourth, and so on. Whatever a peer does, it fills no log.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Report {
    changes: u64,
}

impl Report {
    /// The peer is another one from now on.
    pub(super) fn change(&mut self, peer: Peer) {
        self.changes = self.changes.saturating_add(1);
        if !self.changes.is_power_of_two() {
            return;
        }
        let changes = self.changes;
        match peer {
            Peer::Down => log::info!("channel: no writer (change {changes})"),
            Peer::Up { epoch } => log::info!("channel: epoch {epoch:#x} (change {changes})"),
            Peer::Faulty(fault) => log::warn!("channel unusable: {fault} (change {changes})"),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Peer, Reader, Writer};
    use crate::shm::heap::Heap;
    use core::num::NonZeroU64;
    use std::{string::String, string::ToString, sync::Mutex, vec::Vec};

    static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

    struct Lines;

    impl log::Log for Lines {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &log::Record<'_>) {
            // Other tests run beside this one.
            if std::thread::current().name() == Some("channel::report::tests::few_lines") {
                LINES.lock().unwrap().push(record.args().to_string());
            }
        }

        fn flush(&self) {}
    }

    #[test]
    fn few_lines() {
        log::set_logger(&Lines).unwrap();
        log::set_max_level(log::LevelFilter::Info);
        let protocol = NonZeroU64::MIN;
        let heap = Heap::new(64 + 64);
        let mut writer = Writer::new(heap.clone(), protocol, 8).unwrap();
        let mut reader = Reader::new(heap.clone(), protocol, 8).unwrap();
        for epoch in 1..=500 {
            writer.activate(NonZeroU64::new(epoch).unwrap());
            assert_eq!(reader.peer(), Peer::Up { epoch });
            writer.deactivate();
            assert_eq!(reader.peer(), Peer::Down);
        }
        heap.poke(0, 0);
        heap.poke(8, 7);
        assert!(matches!(reader.peer(), Peer::Faulty(_)));
        let lines = LINES.lock().unwrap();
        assert_eq!(lines.len(), 10, "{lines:?}");
        assert_eq!(lines[0], "channel: epoch 0x1 (change 1)");
        assert_eq!(lines[1], "channel: no writer (change 2)");
    }
}
