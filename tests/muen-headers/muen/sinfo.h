/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module needs of Muen Linux' header of this name, as its newer releases declare it: a
 * resource is packed and aligned to 8 bytes. For a build test; see xtask/src/kmod.rs.
 */
#ifndef MUEN_SINFO_H
#define MUEN_SINFO_H

#include <linux/types.h>

enum muen_resource_kind {
	MUEN_RES_NONE,
	MUEN_RES_MEMORY,
	MUEN_RES_EVENT,
	MUEN_RES_VECTOR,
	MUEN_RES_DEVICE,
	MUEN_RES_DEVMEM,
};

struct muen_name_type {
	uint8_t length;
	char data[63];
	uint8_t null_term;
} __packed;

struct muen_resource_type {
	enum muen_resource_kind kind;
	struct muen_name_type name;
	char padding[3];
	union {
		uint8_t number;
		char bytes[56];
	} data;
} __packed __aligned(8);

bool muen_check_magic(void);
const char *muen_get_subject_name(void);
const struct muen_resource_type *
muen_get_resource(const char *const name, const enum muen_resource_kind kind);

#endif
