#!/usr/bin/busybox sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# The first process of a VM. Runs the commands that the host sends over the second
# serial port, a line each, and answers with "@@ <status> <bytes>" and the output.
# With "muennet.shell" on the kernel's command line it starts a shell instead.
/usr/bin/busybox --install -s /bin
# busybox stands behind the real tools.
export PATH=/usr/sbin:/usr/bin:/bin HOME=/ TERM=linux
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
ip link set lo up

if grep -q muennet.shell /proc/cmdline; then
	setsid cttyhack bash --norc
	poweroff -f
fi

# The second serial port of a PC, or of an arm64 machine.
agent=/dev/ttyS1
test ! -c /dev/ttyAMA1 || agent=/dev/ttyAMA1
stty -F $agent raw -echo
exec 3<>$agent
echo '@@ ready' >&3
while IFS= read -r line <&3; do
	dash -c "$line" >/tmp/output 2>&1 </dev/null
	status=$?
	echo "@@ $status $(wc -c </tmp/output)" >&3
	cat /tmp/output >&3
done
poweroff -f
