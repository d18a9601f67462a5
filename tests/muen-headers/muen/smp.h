/* SPDX-License-Identifier: GPL-2.0-only */
/* What the module needs of Muen Linux' header of this name. */
#ifndef MUEN_SMP_H
#define MUEN_SMP_H

#include <linux/list.h>
#include <muen/sinfo.h>

struct muen_cpu_affinity {
	uint8_t cpu;
	struct muen_resource_type res;
	struct list_head list;
};

bool muen_smp_one_match(struct muen_cpu_affinity *const result, const char *const name,
			const enum muen_resource_kind kind);
void muen_smp_trigger_event(const uint8_t id, const uint8_t cpu);

#endif
