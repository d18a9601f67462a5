/* SPDX-License-Identifier: GPL-2.0-only */
/* One line for each inline function or macro that Rust cannot call. */
extern const struct pci_device_id ivshmem_ids[];
int ivshmem_alloc_vectors(struct pci_dev *device, unsigned int max);
const char *ivshmem_name(const struct pci_dev *device);
u64 ivshmem_resource_start(const struct pci_dev *device, int bar);
u64 ivshmem_resource_len(const struct pci_dev *device, int bar);
void ivshmem_set_drvdata(struct pci_dev *device, void *data);
void *ivshmem_drvdata(struct pci_dev *device);
void *ivshmem_ioremap(u64 address, size_t len);
u32 ivshmem_readl(const void *address);
void ivshmem_writel(u32 value, void *address);
void ivshmem_rcu_read_lock(void);
void ivshmem_rcu_read_unlock(void);
