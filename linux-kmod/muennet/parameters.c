// SPDX-License-Identifier: GPL-2.0-only
/* The parameters as the kernel splits them; params.rs reads them. */
#include <linux/module.h>

#define LIST(param, text) \
	char *muennet_##param[32]; \
	int muennet_##param##_count; \
	module_param_array_named(param, muennet_##param, charp, &muennet_##param##_count, 0444); \
	MODULE_PARM_DESC(param, text)

LIST(name, "Interface names, may hold %d; an empty entry is skipped");
LIST(in, "Input channels, one may be empty");
LIST(out, "Output channels, one may be empty");
LIST(reader_protocol, "Protocols of the input channels, hexadecimal, not 0");
LIST(writer_protocol, "Protocols of the output channels, hexadecimal, not 0");
LIST(mtu, "MTUs in bytes (default 1500)");
LIST(pmtu, "Memory regions with the path MTU of each mark");
LIST(flags, "Modes: net_hdr, eth_dev, eth_dev+vlan, or nothing for raw");

char *muennet_poll;
module_param_named(poll, muennet_poll, charp, 0444);
MODULE_PARM_DESC(poll, "Microseconds between looks at an input channel without vector (default 1000; 0 is 50)");
