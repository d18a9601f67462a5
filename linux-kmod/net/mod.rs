// SPDX-License-Identifier: GPL-2.0-only

//! Network devices: safe wrappers, shaped as the kernel crate's own would be.
//!
//! - [`device`]: `struct net_device` and its registration;
//! - [`skb`]: packets;
//! - [`napi`]: receiving in softirq context, and what wakes it: [`irq`], [`timer`];
//! - [`softirq`]: keeping softirqs out for a moment;
//! - [`work`]: a call on a certain CPU, later.
//!
//! Nothing here knows of channels.

pub(crate) mod device;
pub(crate) mod irq;
pub(crate) mod napi;
pub(crate) mod skb;
pub(crate) mod softirq;
pub(crate) mod timer;
pub(crate) mod work;
