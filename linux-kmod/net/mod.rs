// SPDX-License-Identifier: GPL-2.0-only

//! Network devices: safe wrappers, shaped as the kernel crate's own would be.
//!
//! - [`device`]: `struct net_device`, and counted references to it;
//! - [`driver`]: what makes a device of a value, and its registration;
//! - [`ethtool`]: what `ethtool` shows of it;
//! - [`skb`]: packets;
//! - [`napi`]: receiving in softirq context, and what wakes it: [`irq`], [`timer`];
//! - [`softirq`]: keeping softirqs out for a moment;
//! - [`work`]: a call on a certain CPU, later;
//! - [`rtnl`]: the lock of network configuration, and kinds of links;
//! - [`genl`]: generic netlink families;
//! - [`netlink`]: what both of them say and are told;
//! - [`peers`]: the announcement of an interface to its peers;
//! - [`namespace`]: network namespaces;
//! - [`debugfs`]: files in debugfs.
//!
//! Nothing here knows of channels.

pub(crate) mod debugfs;
pub(crate) mod device;
pub(crate) mod driver;
pub(crate) mod ethtool;
pub(crate) mod genl;
pub(crate) mod irq;
pub(crate) mod namespace;
pub(crate) mod napi;
pub(crate) mod netlink;
pub(crate) mod peers;
pub(crate) mod rtnl;
pub(crate) mod skb;
pub(crate) mod softirq;
pub(crate) mod timer;
pub(crate) mod work;
