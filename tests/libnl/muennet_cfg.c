// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * The four commands of the original muennet_cfg, sent as a C program with libnl sends
 * them: the numbers are written out, as programs that exist hold them. Shows that such
 * a program keeps working. Usage: as muennet_cfg; exit status 0 or 1.
 */
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ATTRIBUTE_DEV = 1, ATTRIBUTE_CHILD_DEV = 2, ATTRIBUTE_MARK = 3 };

static const struct {
	const char *name;
	unsigned char number;
	int attributes[2];
} commands[] = {
	{ "add_child", 1, { ATTRIBUTE_DEV, ATTRIBUTE_CHILD_DEV } },
	{ "del_child", 2, { ATTRIBUTE_CHILD_DEV } },
	{ "add_mark", 3, { ATTRIBUTE_CHILD_DEV, ATTRIBUTE_MARK } },
	{ "del_mark", 4, { ATTRIBUTE_CHILD_DEV, ATTRIBUTE_MARK } },
};

static int fail(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, nl_geterror(error));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const size_t count = sizeof(commands) / sizeof(commands[0]);
	size_t command = 0;
	struct nl_sock *socket = nl_socket_alloc();
	struct nl_msg *message = nlmsg_alloc();
	int error;

	while (argc > 1 && command < count && strcmp(commands[command].name, argv[1]))
		command++;
	if (argc < 2 || command == count || !socket || !message) {
		fprintf(stderr, "usage: add_child PARENT CHILD | del_child CHILD | add_mark CHILD MARK | del_mark CHILD MARK\n");
		return EXIT_FAILURE;
	}
	error = genl_connect(socket);
	if (error < 0)
		return fail("connect", error);
	error = genl_ctrl_resolve(socket, "muennet");
	if (error < 0)
		return fail("family", error);
	genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, error, 0, 0, commands[command].number, 1);
	for (int i = 0; i < 2 && i + 2 < argc && commands[command].attributes[i]; i++) {
		int attribute = commands[command].attributes[i];

		error = attribute == ATTRIBUTE_MARK ?
			nla_put_u32(message, attribute, strtoul(argv[i + 2], NULL, 0)) :
			nla_put_string(message, attribute, argv[i + 2]);
		if (error < 0)
			return fail("attribute", error);
	}
	error = nl_send_auto(socket, message);
	if (error < 0)
		return fail("send", error);
	error = nl_wait_for_ack(socket);
	return error < 0 ? fail(argv[1], error) : EXIT_SUCCESS;
}
