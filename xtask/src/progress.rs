// SPDX-License-Identifier: MIT OR Apache-2.0
//! Says what is going on, and how long it took.

use std::{fmt, time::Duration};

/// A duration as people read it.
pub struct Seconds(pub Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        match seconds {
            s if s < 10.0 => write!(f, "{s:.1} s"),
            s if s < 120.0 => write!(f, "{s:.0} s"),
            s => write!(f, "{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0),
        }
    }
}
