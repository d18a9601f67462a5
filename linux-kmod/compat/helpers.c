// SPDX-License-Identifier: GPL-2.0-only
#include "bindings.h"
#include <linux/bug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include "helpers.h"

static int __init compat_module_init(void) { return compat_init(); }
module_init(compat_module_init);
static void __exit compat_module_exit(void) { compat_exit(); }
module_exit(compat_module_exit);

void *compat_kmalloc(size_t size, gfp_t flags) { return kmalloc(size, flags); }
void *compat_kvmalloc(size_t size, gfp_t flags) { return kvmalloc(size, flags); }
#ifdef CONFIG_DEBUG_SPINLOCK
void compat_spin_lock_init(spinlock_t *lock, const char *name, struct lock_class_key *key) { __raw_spin_lock_init(spinlock_check(lock), name, key, LD_WAIT_CONFIG); }
#else
void compat_spin_lock_init(spinlock_t *lock, const char *name, struct lock_class_key *key) { spin_lock_init(lock); }
#endif
void compat_spin_lock(spinlock_t *lock) { spin_lock(lock); }
void compat_spin_unlock(spinlock_t *lock) { spin_unlock(lock); }
void compat_mutex_init(struct mutex *lock, const char *name, struct lock_class_key *key) { __mutex_init(lock, name, key); }
void compat_mutex_lock(struct mutex *lock) { mutex_lock(lock); }
void compat_mutex_unlock(struct mutex *lock) { mutex_unlock(lock); }
void compat_print(int level, int prefix_len, const char *prefix, int len, const char *text) { printk(KERN_SOH "%c%.*s: %.*s", '0' + level, prefix_len, prefix, len, text); }
void compat_bug(void) { BUG(); }
