// SPDX-License-Identifier: MIT OR Apache-2.0
//! A channel's memory, byte for byte.

use crate::Channel;
use anyhow::Result;
use muennet_core::{channel::layout::TRANSPORT, notify::Notifier, shm::Memory};
use muennet_host::{
    ivshmem::client::{Client, Ringer},
    mapping::Output,
};
use std::time::{SystemTime, UNIX_EPOCH};

/// Offsets of the header's fields.
pub const TRANSPORT_AT: usize = 0;
pub const EPOCH: usize = 8;
pub const PROTOCOL: usize = 16;
pub const SIZE: usize = 24;
pub const ELEMENTS: usize = 32;
pub const START: usize = 48;
pub const WRITTEN: usize = 56;
/// Where the elements begin.
pub const DATA: usize = 64;

/// Memory that this subject writes.
pub struct Region {
    memory: Output,
    ringer: Option<Ringer>,
    protocol: u64,
    size: usize,
    written: u64,
    epoch: u64,
}

impl Region {
    /// Plain memory.
    pub fn memory(client: &Client, name: &str) -> Result<Self> {
        Ok(Self {
            memory: client.memory(name)?,
            ringer: None,
            protocol: 0,
            size: 0,
            written: 0,
            epoch: 0,
        })
    }

    /// A channel.
    pub fn channel(client: &Client, channel: &Channel) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        Ok(Self {
            memory: client.output(&channel.channel)?,
            ringer: client.notifier(&channel.channel)?,
            protocol: channel.protocol,
            size: channel.mode.element_size(channel.mtu),
            written: 0,
            // Another one for each run.
            epoch: now.as_nanos() as u64 | 1,
        })
    }

    pub fn len(&self) -> usize {
        self.memory.len()
    }

    pub fn size(&self) -> usize {
        self.size
    }

    /// Elements that fit.
    pub fn elements(&self) -> u64 {
        ((self.len() - DATA) / self.size) as u64
    }

    pub fn written(&self) -> u64 {
        self.written
    }

    /// Writes a word; the rest of the run goes on from what an honest writer has.
    pub fn store(&self, at: usize, value: u64) {
        assert!(at.is_multiple_of(8) && at + 8 <= self.len());
        // SAFETY: an aligned word within the mapping, shared with others.
        unsafe {
            self.memory
                .base()
                .as_ptr()
                .add(at)
                .cast::<u64>()
                .write_volatile(value.to_le());
        }
        std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
    }

    /// Writes half a word.
    pub fn store32(&self, at: usize, value: u32) {
        assert!(at.is_multiple_of(4) && at + 4 <= self.len());
        // SAFETY: as for `store`.
        unsafe {
            self.memory
                .base()
                .as_ptr()
                .add(at)
                .cast::<u32>()
                .write_volatile(value.to_le());
        }
    }

    /// Writes bytes anywhere.
    pub fn put(&self, at: usize, bytes: &[u8]) {
        assert!(at <= self.len() && bytes.len() <= self.len() - at);
        for (index, byte) in bytes.iter().enumerate() {
            // SAFETY: within the mapping, shared with others.
            unsafe {
                self.memory
                    .base()
                    .as_ptr()
                    .add(at + index)
                    .write_volatile(*byte)
            };
        }
    }

    /// Starts a new epoch, as an honest writer does.
    pub fn start(&mut self) {
        self.store(EPOCH, 0);
        self.header();
        self.epoch = self.epoch.wrapping_add(2);
        self.store(EPOCH, self.epoch);
    }

    /// Ends the epoch, as an honest writer does.
    pub fn stop(&self) {
        self.store(EPOCH, 0);
    }

    /// A sound header, counters at 0.
    pub fn header(&mut self) {
        self.store(TRANSPORT_AT, TRANSPORT);
        self.store(PROTOCOL, self.protocol);
        self.store(SIZE, self.size as u64);
        self.store(ELEMENTS, self.elements());
        self.store(START, 0);
        self.store(WRITTEN, 0);
        self.written = 0;
    }

    /// A new epoch whose header is sound but for the fields in `lies`.
    pub fn start_with(&mut self, lies: &[(usize, u64)]) {
        self.store(EPOCH, 0);
        self.header();
        for (at, value) in lies {
            self.store(*at, *value);
        }
        self.epoch = self.epoch.wrapping_add(2);
        self.store(EPOCH, self.epoch);
    }

    /// Writes an element, as an honest writer does.
    pub fn send(&mut self, element: &[u8]) {
        self.store(START, self.written + 1);
        let slot = self.written % self.elements();
        self.put(DATA + slot as usize * self.size, element);
        self.written += 1;
        self.store(WRITTEN, self.written);
    }

    /// Rings the reader.
    pub fn ring(&self) {
        self.ringer.notify();
    }
}
