// SPDX-License-Identifier: GPL-2.0-only

//! One interface: from its configuration to a registered device, up and down.

use crate::{
    mapping, muen,
    net::{
        device::{Device, Driver, Errors, Properties, Registration, Wake},
        napi::Polling,
        skb::SkBuff,
        softirq,
    },
    params,
    rx::Receive,
    tx::Transmit,
};
use core::sync::atomic::{AtomicU64, Ordering};
use kernel::{
    prelude::*,
    str::CString,
    sync::{new_spinlock, SpinLock},
};
use muennet_core::{
    config::{self, Access, Mode},
    framing::Ethernet,
    link,
};

/// Nanoseconds between looks at the peer where an interrupt tells of packets: a
/// peer that is gone does not ring.
const WATCH_NS: u64 = 100_000_000;

/// What a device of this module is.
#[pin_data]
pub(crate) struct Interface {
    #[pin]
    rx: SpinLock<Option<Receive>>,
    #[pin]
    tx: SpinLock<Option<Transmit>>,
    /// Written under the lock of their direction, read by anybody.
    counters: Counters,
    wake: (Option<u32>, u64),
    one_way_out: bool,
    bus_info: CString,
}

/// What went wrong so far.
#[derive(Default)]
pub(crate) struct Counters {
    lost: AtomicU64,
    overruns: AtomicU64,
    bad_length: AtomicU64,
    no_memory: AtomicU64,
    not_sent: AtomicU64,
}

/// A counter with one writer at a time.
fn add(counter: &AtomicU64, number: u64) {
    let sum = counter.load(Ordering::Relaxed).wrapping_add(number);
    counter.store(sum, Ordering::Relaxed);
}

impl Counters {
    pub(crate) fn overrun(&self, lost: u64) {
        add(&self.lost, lost);
        add(&self.overruns, 1);
    }

    pub(crate) fn bad_length(&self) {
        add(&self.bad_length, 1);
    }

    pub(crate) fn no_memory(&self) {
        add(&self.no_memory, 1);
    }

    pub(crate) fn not_sent(&self) {
        add(&self.not_sent, 1);
    }
}

impl Interface {
    /// Makes a device of a checked configuration.
    pub(crate) fn register(config: &config::Interface<'_>) -> Result<Registration<Self>> {
        let (name, position) = (config.name, config.position);
        if config.mode != Mode::Ethernet {
            pr_err!(
                "parameter flags, entry {position}: only eth_dev works so far; \
                 net_hdr and raw interfaces are not made\n"
            );
            return Err(EOPNOTSUPP);
        }
        if !muen::is_subject() {
            pr_err!("{name}: this kernel runs as no Muen subject\n");
            return Err(ENODEV);
        }
        let framing = Ethernet::new(config.mtu).map_err(|_| EINVAL)?;
        let too_small = |error: muennet_core::channel::GeometryError| {
            pr_err!("{name}: {}\n", core::format_args!("{error}"));
            EINVAL
        };
        let found = |access, channel| {
            config::channel(access, position, channel, muen::memory(channel)?)
                .map_err(|error| params::refuse(&error))
        };
        // All is checked before any is mapped.
        let input = match config.input {
            Some(channel) => Some((channel, found(Access::Input, channel.name)?)),
            None => None,
        };
        let output = match config.output {
            Some(channel) => Some((channel, found(Access::Output, channel.name)?)),
            None => None,
        };
        if let Some(region) = config.pmtu {
            config::path_mtu(position, region, muen::memory(region)?)
                .map_err(|error| params::refuse(&error))?;
        }

        let mut irq = None;
        let rx = match input {
            Some((channel, memory)) => {
                irq = muen::interrupt(channel.name)?;
                let memory = mapping::Input::new(&memory)?;
                let receiver = link::Receiver::new(memory, channel.protocol, framing);
                Some(Receive::new(receiver.map_err(too_small)?))
            }
            None => None,
        };
        let tx = match output {
            Some((channel, memory)) => {
                let memory = mapping::Output::new(&memory)?;
                let sender = link::Sender::new(memory, channel.protocol, framing, ());
                let event = muen::Event::of(channel.name)?;
                Some(Transmit::new(sender.map_err(too_small)?, event)?)
            }
            None => None,
        };
        let bus_info = CString::try_from_fmt(fmt!(
            "{}:{}",
            config.input.map_or("", |channel| channel.name),
            config.output.map_or("", |channel| channel.name)
        ))?;
        let poll_ns = u64::from(config.poll_us) * 1000;
        let one_way_out = rx.is_none();
        let properties = Properties {
            name,
            mtu: config.mtu,
        };
        let registration = Registration::ethernet(
            &properties,
            try_pin_init!(Self {
                rx <- new_spinlock!(rx),
                tx <- new_spinlock!(tx),
                counters: Counters::default(),
                wake: (irq, if irq.is_some() { WATCH_NS } else { poll_ns }),
                one_way_out,
                bus_info,
            }),
        );
        registration.inspect_err(|error| {
            pr_err!(
                "parameter name, entry {position}, value \"{name}\": the kernel does not \
                 register it ({})\n",
                error.to_errno()
            );
        })
    }
}

impl Driver for Interface {
    const NAME: &'static CStr = c"muennet";

    fn open(&self, device: &Device) -> Result<Wake> {
        softirq::without(|| {
            if let Some(tx) = &mut *self.tx.lock() {
                tx.start();
            }
        });
        device.set_carrier(self.one_way_out);
        let (irq, period_ns) = self.wake;
        Ok(Wake {
            irq,
            period_ns: (!self.one_way_out).then_some(period_ns),
        })
    }

    fn stop(&self, device: &Device) {
        softirq::without(|| {
            if let Some(tx) = &mut *self.tx.lock() {
                tx.stop();
            }
            if let Some(rx) = &mut *self.rx.lock() {
                rx.stop();
            }
        });
        device.set_carrier(false);
    }

    fn start_xmit(&self, device: &Device, skb: SkBuff, more: bool) {
        match &mut *self.tx.lock() {
            Some(tx) => tx.send(device, &self.counters, skb, more),
            None => self.counters.not_sent(),
        }
    }

    fn poll(&self, polling: &Polling<'_>, budget: i32) -> i32 {
        match &mut *self.rx.lock() {
            Some(rx) => rx.poll(polling, &self.counters, budget),
            None => 0,
        }
    }

    fn has_pending(&self) -> bool {
        self.rx.lock().as_ref().is_some_and(Receive::has_pending)
    }

    fn errors(&self) -> Errors {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Errors {
            rx_missed: get(&self.counters.lost),
            rx_over: get(&self.counters.overruns),
            rx_length: get(&self.counters.bad_length),
            rx_dropped: get(&self.counters.no_memory),
            tx_dropped: get(&self.counters.not_sent),
        }
    }

    fn bus_info(&self) -> &CStr {
        &self.bus_info
    }
}
