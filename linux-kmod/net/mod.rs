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
//! - [`rtnl_lock`]: the lock of network configuration;
//! - [`rtnl`]: links over another device, and their kinds;
//! - [`genl`]: generic netlink families;
//! - [`netlink`]: what both of them say and are told;
//! - [`peers`]: the announcement of an interface to its peers;
//! - [`namespace`]: network namespaces;
//! - [`debugfs`]: files in debugfs.
//!
//! Nothing here knows of channels.
//!
//! These circles of modules are those of C. A device lies in a namespace, which finds its devices
//! by name (`struct net_device`, `struct net`): `device` and `namespace`. The operations of a
//! driver are called by ethtool and NAPI with the device that points to them (`net_device_ops`,
//! `ethtool_ops`, `napi_struct::dev`): `driver`, `ethtool` and `napi`.

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
mod rtnl_lock;
pub(crate) mod skb;
pub(crate) mod softirq;
pub(crate) mod timer;
pub(crate) mod work;
