// SPDX-License-Identifier: GPL-2.0-only

//! One interface: from its configuration to a registered device, up and down.

use crate::{
    bell::Bell,
    children::Children,
    counters::{self, Counter, Counters},
    direction::Direction,
    mapping, muen,
    net::{
        device::Device,
        driver::{Driver, Errors, Network, NotRegistered, Properties, Registration, Wake},
        ethtool::{Coalesce, Rings},
        irq,
        napi::Polling,
        skb::SkBuff,
        softirq,
    },
    params::Refused,
    path::{Fit, Path},
    rx::Receive,
    tx::Transmit,
};
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::{
    prelude::*,
    str::CString,
    sync::{new_spinlock, SpinLock},
};
use muennet_core::{
    channel::GeometryError,
    config::{self, hardware_address, Access, Mode, Parameter},
    link,
    sinfo::linux::Irq,
};

/// Nanoseconds between looks at the peer where an interrupt tells of packets: a
/// peer that is gone does not ring.
const WATCH_NS: u64 = 100_000_000;
/// Bytes of the header before an IP packet in an element.
const NET_HEADER: u16 = 8;
/// The least MTU that IPv4 takes. A smaller one is for those that ask for it at load.
const LEAST_IPV4_MTU: u16 = 68;
/// The most frames of one look: NAPI's budget.
const BATCH: u32 = 64;

/// Causes of a refusal by the kernel while an interface is made.
const FIND: &str = "the subject's resources cannot be searched";
const MAP: &str = "the kernel does not map this memory";
pub(crate) const SET_UP: &str = "the kernel has no memory for it";

/// The state behind a device of this module.
#[pin_data]
pub(crate) struct Interface {
    #[pin]
    rx: SpinLock<Incoming>,
    #[pin]
    tx: SpinLock<Option<Transmit>>,
    bell: Bell,
    counters: Counters,
    path: Option<Path>,
    mode: Mode,
    vlan: bool,
    input: CString,
    output: CString,
    bus_info: CString,
    protocols: (u64, u64),
    irq: Option<Irq>,
    /// Microseconds between looks at an input channel without a vector.
    poll_us: AtomicU32,
    has_input: bool,
}

/// Where packets come from, and whom they are for.
struct Incoming {
    receive: Option<Receive>,
    children: Children,
}

/// Counters that netlink requests ask for.
pub(crate) struct Counts {
    pub(crate) lost: u64,
    pub(crate) rejected: u64,
    pub(crate) epochs: u64,
}

impl Interface {
    /// Makes a device of a checked configuration. `waited_for` is true for an interrupt of
    /// another interface.
    pub(crate) fn register<'a>(
        config: &config::Interface<'a>,
        waited_for: impl Fn(u32) -> bool,
    ) -> Result<Registration<Self>, Refused> {
        let (name, position) = (config.name, config.position);
        let fail = |parameter, value, what| {
            move |error| Refused::by_kernel(parameter, position, value, what, error)
        };
        if !muen::is_subject() {
            let why = "this kernel runs as no Muen subject";
            return Err(Refused::new(Parameter::Name, position, name, why, ENODEV));
        }
        let framing = config
            .framing()
            .map_err(|why| Refused::new(Parameter::Mtu, position, config.mtu, why, EINVAL))?;
        let unfit = |parameter, value| {
            move |why: GeometryError| Refused::new(parameter, position, value, why, EINVAL)
        };
        let find = |parameter, name| muen::memory(name).map_err(fail(parameter, name, FIND));
        // All is checked before any is mapped.
        let checked = |parameter, access, channel: Option<config::Channel<'a>>| {
            let Some(channel) = channel else {
                return Ok(None);
            };
            let found = find(parameter, channel.name)?;
            let memory = config::channel(access, position, channel.name, found)?;
            Ok::<_, Refused>(Some((channel, memory)))
        };
        let input = checked(Parameter::In, Access::Input, config.input)?;
        let output = checked(Parameter::Out, Access::Output, config.output)?;
        let irq = match config.input {
            Some(channel) => muen::vector(channel.name)
                .map_err(fail(Parameter::In, channel.name, FIND))?
                .map(|vector| {
                    let taken = |number| waited_for(number) || irq::in_use(number);
                    config::interrupt(position, channel.name, vector, taken)
                })
                .transpose()?,
            None => None,
        };
        let path = match config.pmtu {
            Some(region) => {
                let found = find(Parameter::Pmtu, region)?;
                let memory = config::path_mtu(position, region, found)?;
                let memory =
                    mapping::Input::new(&memory).map_err(fail(Parameter::Pmtu, region, MAP))?;
                let path = Path::new(memory).map_err(|why| {
                    Refused::new(Parameter::Pmtu, position, region, why, EINVAL)
                })?;
                Some(path)
            }
            None => None,
        };

        let receive = match input {
            Some((channel, memory)) => {
                let parameter = Parameter::In;
                let memory =
                    mapping::Input::new(&memory).map_err(fail(parameter, channel.name, MAP))?;
                // It comes up with the interface, which counts what it passes over.
                let receiver = link::Receiver::replaying(memory, channel.protocol, framing)
                    .map_err(unfit(parameter, channel.name))?;
                Some(Receive::new(receiver, config.mode))
            }
            None => None,
        };
        let transmit = match output {
            Some((channel, memory)) => {
                let parameter = Parameter::Out;
                let memory =
                    mapping::Output::new(&memory).map_err(fail(parameter, channel.name, MAP))?;
                let sender = link::Sender::new(memory, channel.protocol, framing, ())
                    .map_err(unfit(parameter, channel.name))?;
                Some(Transmit::new(sender))
            }
            None => None,
        };
        let event = match config.output {
            Some(channel) => {
                muen::Event::of(channel.name).map_err(fail(Parameter::Out, channel.name, FIND))?
            }
            None => None,
        };
        let bell = Bell::new(event).map_err(fail(Parameter::Name, name, SET_UP))?;
        let entries = path.as_ref().map_or(0, Path::entries);
        let children = match config.mode {
            Mode::NetHdr => {
                Children::new(entries).map_err(fail(Parameter::Name, name, SET_UP))?
            }
            Mode::Raw | Mode::Ethernet => Children::none(),
        };
        let of = |channel: Option<config::Channel<'_>>| {
            let (channel, protocol) =
                channel.map_or(("", 0), |channel| (channel.name, channel.protocol.get()));
            CString::try_from_fmt(fmt!("{channel}"))
                .map(|channel| (channel, protocol))
                .map_err(Error::from)
                .map_err(fail(Parameter::Name, name, SET_UP))
        };
        let (input, in_protocol) = of(config.input)?;
        let (output, out_protocol) = of(config.output)?;
        let address = hardware_address(
            muen::subject_name().to_str().unwrap_or(""),
            config.input.map_or("", |channel| channel.name),
            config.output.map_or("", |channel| channel.name),
        );
        let properties = Properties {
            name,
            network: match config.mode {
                Mode::Ethernet => Network::Ethernet { address },
                Mode::Raw => Network::PointToPoint { headroom: 0 },
                Mode::NetHdr => Network::PointToPoint { headroom: NET_HEADER },
            },
            mtu: config.mtu,
            min_mtu: match config.mode {
                Mode::Raw => 1,
                Mode::NetHdr | Mode::Ethernet => config.mtu.min(LEAST_IPV4_MTU),
            },
            keep_route: path.is_some(),
        };
        let bus_info = CString::try_from_fmt(fmt!(
            "{}:{}",
            config.input.map_or("", |channel| channel.name),
            config.output.map_or("", |channel| channel.name)
        ))
        .map_err(Error::from)
        .map_err(fail(Parameter::Name, name, SET_UP))?;
        let has_input = receive.is_some();
        let registration = Registration::new(
            &properties,
            try_pin_init!(Self {
                rx <- new_spinlock!(Incoming { receive, children }),
                tx <- new_spinlock!(transmit),
                bell,
                counters: Counters::default(),
                path,
                mode: config.mode,
                vlan: config.vlan,
                input,
                output,
                bus_info,
                protocols: (in_protocol, out_protocol),
                irq,
                poll_us: AtomicU32::new(config.poll_us),
                has_input,
            }),
        );
        registration.map_err(|error| {
            // Of an init function EEXIST says that the module is loaded already, and
            // modprobe succeeds. Newer kernels make EBUSY of it themselves.
            let errno = if error == EEXIST { EBUSY } else { error };
            Refused::new(Parameter::Name, position, name, NotRegistered(error), errno)
        })
    }

    /// Sends a packet of `device`, the interface's own or a child's, and counts it
    /// there. Softirqs are disabled; calls may overlap.
    pub(crate) fn transmit(&self, device: &Device, mut skb: SkBuff, more: bool) {
        // The path's MTU is looked at without the lock: who is told of it may well
        // be reached by this interface.
        let fit = self.path.as_ref().map_or(Fit::Whole, |path| path.fit(&skb));
        let refused = fit.tell(&mut skb) || !fit.prepare(&mut skb);
        let mut tx = self.tx.lock();
        let Some(transmit) = &mut *tx else {
            self.counters.count(Counter::TxInactive);
            device.count_not_sent();
            return;
        };
        if refused {
            self.counters.count(Counter::TxTooBig);
            device.count_not_sent();
        } else if transmit.send(device, &self.counters, &skb, &fit) {
            device.count_sent(skb.len());
            skb.tx_timestamp();
            skb.consume();
        } else {
            device.count_not_sent();
        }
        let ring = transmit.settle(more);
        drop(tx);
        if ring {
            self.bell.ring(&self.counters);
        }
    }

    /// Looks at the children, or changes them; packets wait meanwhile.
    pub(crate) fn with_children<T>(&self, with: impl FnOnce(&mut Children) -> T) -> T {
        softirq::without(|| with(&mut self.rx.lock().children))
    }

    /// Layout of its packets in the elements.
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// The mode by its names in the parameter `flags`.
    pub(crate) fn mode_name(&self) -> &'static CStr {
        match (self.mode, self.vlan) {
            (Mode::Raw, _) => c"raw",
            (Mode::NetHdr, _) => c"net_hdr",
            (Mode::Ethernet, false) => c"eth_dev",
            (Mode::Ethernet, true) => c"eth_dev+vlan",
        }
    }

    /// The names of the channels, in and out; empty where there is none.
    pub(crate) fn channels(&self) -> (&CStr, &CStr) {
        (&self.input, &self.output)
    }

    /// The interrupt of the input channel, if it has one.
    pub(crate) fn irq(&self) -> Option<Irq> {
        self.irq
    }

    /// Counts of elements lost and rejected, and of epochs adopted.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            lost: self.counters.get(Counter::RxLost),
            rejected: self.counters.rejected(),
            epochs: self.counters.get(Counter::RxEpochs),
        }
    }

    /// All counters.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The input channel, if there is one.
    pub(crate) fn incoming(&self) -> Option<Direction> {
        let protocol = self.protocols.0;
        softirq::without(|| self.rx.lock().receive.as_ref().map(|rx| rx.direction(protocol)))
    }

    /// The output channel, if there is one.
    pub(crate) fn outgoing(&self) -> Option<Direction> {
        let protocol = self.protocols.1;
        softirq::without(|| self.tx.lock().as_ref().map(|tx| tx.direction(protocol)))
    }

    fn period_ns(&self) -> u64 {
        match self.irq {
            Some(_) => WATCH_NS,
            None => u64::from(self.poll_us.load(Ordering::Relaxed)) * 1000,
        }
    }

    /// Shows a peer, or that there is none, here and at the children.
    fn show(&self, device: &Device, on: bool) {
        device.set_carrier(on);
        self.with_children(|children| {
            children.all().iter().for_each(|child| child.device().set_carrier(on));
        });
    }
}

impl Driver for Interface {
    const NAME: &'static CStr = c"muennet";
    const STATISTICS: &'static [&'static str] = counters::SHOWN;

    fn open(&self, device: &Device) -> Result<Wake> {
        softirq::without(|| {
            // First, so that what the peer sends because of our epoch is received.
            if let Some(rx) = &mut self.rx.lock().receive {
                rx.open(&self.counters);
            }
            if let Some(tx) = &mut *self.tx.lock() {
                tx.start(&self.counters);
            }
            self.bell.ring(&self.counters);
        });
        self.show(device, !self.has_input);
        Ok(Wake {
            irq: self.irq.map(|irq| irq.number),
            period_ns: self.has_input.then(|| self.period_ns()),
        })
    }

    fn stop(&self, device: &Device) {
        softirq::without(|| {
            if let Some(tx) = &mut *self.tx.lock() {
                tx.stop();
            }
            self.bell.ring(&self.counters);
            if let Some(rx) = &mut self.rx.lock().receive {
                rx.stop();
            }
        });
        self.show(device, false);
    }

    fn start_xmit(&self, device: &Device, skb: SkBuff, more: bool) {
        self.transmit(device, skb, more);
    }

    fn poll(&self, polling: &Polling<'_>, budget: i32) -> i32 {
        let (done, came_up) = {
            let incoming = &mut *self.rx.lock();
            match &mut incoming.receive {
                Some(rx) => {
                    let done = rx.poll(polling, &self.counters, &incoming.children, budget);
                    (done, rx.came_up())
                }
                None => (0, false),
            }
        };
        // A reader of the original spends one event on noticing our epoch.
        if came_up && self.tx.lock().as_ref().is_some_and(Transmit::is_active) {
            self.bell.ring(&self.counters);
        }
        done
    }

    fn has_pending(&self) -> bool {
        self.rx.lock().receive.as_ref().is_some_and(Receive::has_pending)
    }

    fn errors(&self) -> Errors {
        let get = |counter| self.counters.get(counter);
        let length = get(Counter::RxTooLong)
            .wrapping_add(get(Counter::RxTooShort))
            .wrapping_add(get(Counter::RxMismatch));
        Errors {
            rx_missed: get(Counter::RxLost),
            rx_over: get(Counter::RxOverruns),
            rx_length: length,
            rx_frame: self.counters.rejected().wrapping_sub(length),
            rx_dropped: get(Counter::RxNoMemory),
        }
    }

    fn bus_info(&self) -> &CStr {
        &self.bus_info
    }

    fn statistics(&self, device: &Device, interrupts: u64, values: &mut [u64]) {
        let traffic = device.traffic();
        let first = [
            traffic.rx_frames,
            traffic.rx_bytes,
            interrupts,
            traffic.tx_frames,
            traffic.tx_bytes,
        ];
        let all = Iterator::chain(first.into_iter(), self.counters.values());
        for (to, from) in values.iter_mut().zip(all) {
            *to = from;
        }
    }

    fn rings(&self) -> Rings {
        let small = |elements: u64| u32::try_from(elements).unwrap_or(u32::MAX);
        let of = |direction: Option<Direction>| {
            let geometry = direction.and_then(|direction| direction.geometry);
            geometry.map_or(0, |geometry| small(geometry.elements()))
        };
        let capacity =
            softirq::without(|| self.rx.lock().receive.as_ref().map_or(0, Receive::capacity));
        let (rx, tx) = (of(self.incoming()), of(self.outgoing()));
        Rings {
            rx,
            rx_max: small(capacity).max(rx),
            tx,
            tx_max: tx,
        }
    }

    fn coalesce(&self) -> Coalesce {
        Coalesce {
            rx_usecs: match self.irq {
                Some(_) => 0,
                None => self.poll_us.load(Ordering::Relaxed),
            },
            rx_max_frames: BATCH,
        }
    }

    fn set_coalesce(&self, coalesce: Coalesce) -> Result<u64, (Error, &'static str)> {
        if coalesce.rx_max_frames != BATCH {
            return Err((EINVAL, "the most frames of one look are NAPI's budget, 64"));
        }
        match (self.irq, coalesce.rx_usecs) {
            (Some(_), 0) => Ok(WATCH_NS),
            (Some(_), _) => {
                Err((EOPNOTSUPP, "the peer tells of frames by an event; there is no poll interval"))
            }
            (None, us) => {
                self.poll_us.store(config::poll_us(us), Ordering::Relaxed);
                Ok(self.period_ns())
            }
        }
    }
}
