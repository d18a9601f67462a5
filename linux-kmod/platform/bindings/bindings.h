/* SPDX-License-Identifier: GPL-2.0-only */
/* What the stand-in binds to; see Kbuild for the names it takes. */
#include <linux/io.h>
#include <linux/list.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>
