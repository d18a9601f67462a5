// SPDX-License-Identifier: GPL-2.0-only
/* The names that Muen Linux exports; defined in exports.rs. */
#include <linux/export.h>

#define EXPORT_RUST(name) extern int name; EXPORT_SYMBOL_GPL(name)

EXPORT_RUST(muen_check_magic);
EXPORT_RUST(muen_get_resource);
EXPORT_RUST(muen_get_subject_name);
EXPORT_RUST(muen_smp_one_match);
EXPORT_RUST(muen_smp_trigger_event);
