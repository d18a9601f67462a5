/* SPDX-License-Identifier: GPL-2.0-only */
/* What the crate "kernel" of this folder binds to; see Kbuild for the names it takes. */
#include <linux/errno.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
