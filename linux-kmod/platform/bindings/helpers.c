// SPDX-License-Identifier: GPL-2.0-only
#include "bindings.h"
#include <linux/module.h>
#include "helpers.h"

const struct pci_device_id ivshmem_ids[] = { { PCI_DEVICE(PCI_VENDOR_ID_REDHAT_QUMRANET, 0x1110) }, { } };
MODULE_DEVICE_TABLE(pci, ivshmem_ids);

int ivshmem_alloc_vectors(struct pci_dev *device, unsigned int max) { return pci_alloc_irq_vectors(device, 1, max, PCI_IRQ_MSIX); }
const char *ivshmem_name(const struct pci_dev *device) { return pci_name(device); }
u64 ivshmem_resource_start(const struct pci_dev *device, int bar) { return pci_resource_start(device, bar); }
u64 ivshmem_resource_len(const struct pci_dev *device, int bar) { return pci_resource_len(device, bar); }
void ivshmem_set_drvdata(struct pci_dev *device, void *data) { pci_set_drvdata(device, data); }
void *ivshmem_drvdata(struct pci_dev *device) { return pci_get_drvdata(device); }
void *ivshmem_ioremap(u64 address, size_t len) { return (__force void *)ioremap(address, len); }
u32 ivshmem_readl(const void *address) { return readl((const void __force __iomem *)address); }
void ivshmem_writel(u32 value, void *address) { writel(value, (void __force __iomem *)address); }
void ivshmem_rcu_read_lock(void) { rcu_read_lock(); }
void ivshmem_rcu_read_unlock(void) { rcu_read_unlock(); }
