/* SPDX-License-Identifier: GPL-2.0-only */
/* One line for each inline function or macro that the crate "kernel" cannot call. */
void *compat_kmalloc(size_t size, gfp_t flags);
void *compat_kvmalloc(size_t size, gfp_t flags);
void compat_spin_lock_init(spinlock_t *lock, const char *name, struct lock_class_key *key);
void compat_spin_lock(spinlock_t *lock);
void compat_spin_unlock(spinlock_t *lock);
void compat_mutex_init(struct mutex *lock, const char *name, struct lock_class_key *key);
void compat_mutex_lock(struct mutex *lock);
void compat_mutex_unlock(struct mutex *lock);
void compat_print(int level, int prefix_len, const char *prefix, int len, const char *text);
void compat_bug(void);
/* What the macro module! of Rust makes. */
int compat_init(void);
void compat_exit(void);

/* Macros that bindgen cannot evaluate. */
static const u32 COMPAT_GFP_KERNEL = GFP_KERNEL;
static const u32 COMPAT_GFP_ATOMIC = GFP_ATOMIC;
