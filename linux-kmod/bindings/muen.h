/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What Muen Linux declares for modules: by the kernel's own headers where it has them, else as
 * they are known. 0 as the resource's offset says that it is not known.
 */
#include <linux/list.h>
#include <linux/types.h>

#if __has_include(<muen/smp.h>)
#include <muen/sinfo.h>
#include <muen/smp.h>
enum { MUENNET_AFFINITY_RESOURCE = offsetof(struct muen_cpu_affinity, res) };
#else
enum muen_resource_kind { MUEN_RES_NONE, MUEN_RES_MEMORY, MUEN_RES_EVENT, MUEN_RES_VECTOR };
struct muen_resource_type { u64 words[16]; };
struct muen_cpu_affinity { u64 words[19]; };
bool muen_check_magic(void);
const char *muen_get_subject_name(void);
const struct muen_resource_type *muen_get_resource(const char *const name, const enum muen_resource_kind kind);
bool muen_smp_one_match(struct muen_cpu_affinity *const result, const char *const name, const enum muen_resource_kind kind);
void muen_smp_trigger_event(const uint8_t id, const uint8_t cpu);
enum { MUENNET_AFFINITY_RESOURCE = 0 };
#endif

static_assert(MUEN_RES_MEMORY == 1 && MUEN_RES_EVENT == 2 && MUEN_RES_VECTOR == 3);
static_assert(sizeof(struct muen_resource_type) == 128);
static_assert(sizeof(struct muen_cpu_affinity) == 152);
#ifdef CONFIG_X86_64
static_assert(ISA_IRQ_VECTOR(0) == 0x30);
#endif
