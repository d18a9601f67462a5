/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernels, each probed in the headers that are built against
 * (Kbuild.probes), so that backports count. Only C helpers include this file.
 */
#ifndef MUENNET_COMPAT_H
#define MUENNET_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>

/* Before 6.12 "no transmit lock" is a feature bit. */
#ifdef COMPAT_HAS_LLTX
static inline void compat_set_lltx(struct net_device *dev) { dev->lltx = true; }
#else
static inline void compat_set_lltx(struct net_device *dev) { dev->features |= NETIF_F_LLTX; }
#endif

/* Before 6.8, and 6.1 before its backport, a driver allocates its per-CPU statistics. */
#ifdef COMPAT_HAS_PCPU_STAT_TYPE
static inline void compat_set_tstats(struct net_device *dev) { dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS; }
static inline int compat_init_tstats(struct net_device *dev) { return 0; }
static inline void compat_free_tstats(struct net_device *dev) { }
#else
static inline void compat_set_tstats(struct net_device *dev) { }
static inline int compat_init_tstats(struct net_device *dev) { dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats); return dev->tstats ? 0 : -ENOMEM; }
static inline void compat_free_tstats(struct net_device *dev) { free_percpu(dev->tstats); }
#endif

/* Before 6.13 a timer's function is set apart. */
#ifdef COMPAT_HAS_HRTIMER_SETUP
static inline void compat_hrtimer_setup(struct hrtimer *timer, enum hrtimer_restart (*function)(struct hrtimer *), clockid_t clock, enum hrtimer_mode mode) { hrtimer_setup(timer, function, clock, mode); }
#else
static inline void compat_hrtimer_setup(struct hrtimer *timer, enum hrtimer_restart (*function)(struct hrtimer *), clockid_t clock, enum hrtimer_mode mode) { hrtimer_init(timer, clock, mode); timer->function = function; }
#endif

/*
 * Before 6.3 an extended acknowledgement has no room for a text of its own. There the
 * texts take turns in a few static ones, until the answer is sent.
 */
#ifdef COMPAT_HAS_ACK_ROOM
static inline char *compat_ack_room(struct netlink_ext_ack *ack) { BUILD_BUG_ON(sizeof(ack->_msg_buf) < 80); return ack->_msg_buf; }
#else
static inline char *compat_ack_room(struct netlink_ext_ack *ack)
{
	static char room[32][80];
	static atomic_t turn;

	return room[(unsigned int)atomic_inc_return(&turn) % ARRAY_SIZE(room)];
}
#endif

#endif
