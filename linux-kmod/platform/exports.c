// SPDX-License-Identifier: GPL-2.0-only
/* The names that Muen Linux exports, defined in exports.rs, and its struct muen_cpu_affinity. */
#include <linux/export.h>
#include <linux/list.h>
#include <linux/moduleparam.h>

#define EXPORT_RUST(name) extern int name; EXPORT_SYMBOL(name)

EXPORT_RUST(muen_check_magic);
EXPORT_RUST(muen_get_resource);
EXPORT_RUST(muen_get_subject_name);
EXPORT_RUST(muen_smp_one_match);
EXPORT_RUST(muen_smp_trigger_event);

bool muen_ivshmem_aligned;
module_param_named(aligned, muen_ivshmem_aligned, bool, 0444);
MODULE_PARM_DESC(aligned, "Align the resource in struct muen_cpu_affinity, as newer headers do (default N)");

/* Older headers pack the resource, newer ones align it, too. */
struct resource_packed { u8 bytes[128]; } __packed;
struct resource_aligned { u8 bytes[128]; } __packed __aligned(8);
struct affinity_packed { u8 cpu; struct resource_packed res; struct list_head list; };
struct affinity_aligned { u8 cpu; struct resource_aligned res; struct list_head list; };
static_assert(offsetof(struct affinity_packed, res) == 1 && offsetof(struct affinity_packed, list) == 136);
static_assert(offsetof(struct affinity_aligned, res) == 8 && offsetof(struct affinity_aligned, list) == 136);
static_assert(sizeof(struct affinity_packed) == 152 && sizeof(struct affinity_aligned) == 152);

void muen_ivshmem_fill_packed(struct affinity_packed *to, u8 cpu, const struct resource_packed *res);
void muen_ivshmem_fill_aligned(struct affinity_aligned *to, u8 cpu, const struct resource_aligned *res);
void muen_ivshmem_fill_packed(struct affinity_packed *to, u8 cpu, const struct resource_packed *res) { *to = (struct affinity_packed){ .cpu = cpu, .res = *res }; }
void muen_ivshmem_fill_aligned(struct affinity_aligned *to, u8 cpu, const struct resource_aligned *res) { *to = (struct affinity_aligned){ .cpu = cpu, .res = *res }; }
