/* SPDX-License-Identifier: GPL-2.0-only */
/* What the net layer binds to; see Kbuild.bindings for the names it takes. */
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/netdevice.h>
#include <linux/random.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
