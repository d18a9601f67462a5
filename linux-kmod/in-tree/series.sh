#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Writes the driver as a series of patches for a kernel's source tree:
#
#   linux-kmod/in-tree/series.sh KERNEL FOLDER
#   git -C KERNEL am -s FOLDER/*.patch
#
# KERNEL is the source tree, which is only read; FOLDER takes the patches. The driver
# comes to lie in drivers/net/muennet, with the sources of muennet-core beside it.
set -eu

if [ $# -ne 2 ] || [ ! -e "$1/drivers/net/Kconfig" ]; then
	echo "usage: $0 KERNEL FOLDER, where KERNEL holds a kernel's sources" >&2
	exit 2
fi
kernel=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
kmod=$(realpath "$(dirname "$0")/..")
core=${MUENNET_CORE:-$kmod/../muennet-core/src}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# A commit of all that has changed; its message comes from standard input.
commit() {
	git add --all
	git -c user.name="${GIT_AUTHOR_NAME:-the muennet authors}" \
		-c user.email="${GIT_AUTHOR_EMAIL:-muennet@localhost}" commit --quiet --file -
}

# The sources below a folder, into a folder of the driver.
sources() {
	(cd "$1" && find . -name '*.rs' ! -name '*_generated.rs' ! -name tests.rs ! -name models.rs \
		-o -name '*.[ch]' ! -name '*.mod.c' -o -name 'Kbuild*' -o -name '*.md') |
		while read -r file; do
			mkdir -p "$driver/$2/$(dirname "$file")"
			cp "$1/$file" "$driver/$2/$file"
		done
}

git init --quiet
driver=drivers/net/muennet
specs=Documentation/netlink/specs
mkdir -p $driver $specs
cp "$kernel/drivers/net/Kconfig" "$kernel/drivers/net/Makefile" drivers/net
echo "base" | commit

sources "$core" core/src
cp "$core/../README.md" $driver/core
commit <<'END'
net: muennet: add the protocol of Muen channels

SHMStream version 2, the framings of network packets, and the description
of a subject's resources. Without allocation, and without trust in what
the peer writes: what lies in shared memory is read once, checked, then used.
END

sources "$kmod/net" net
sources "$kmod/bindings" bindings
cp "$kmod"/Kbuild.* $driver
mkdir -p $driver/compat
cp "$kmod/compat/compat.h" "$kmod/compat/newlink.rs" "$kmod/compat/Kbuild.probes" $driver/compat
commit <<'END'
net: muennet: add wrappers for network devices

Safe types over net_device, NAPI, sk_buff and generic netlink, laid out as
the kernel crate would have them.
END

sources "$kmod/platform" platform
commit <<'END'
net: muennet: add a stand-in for Muen under QEMU

Lays the Muen platform's functions over an ivshmem device, so that the
driver can be tested without a separation kernel.
END

sources "$kmod/muennet" muennet
cp "$kmod/in-tree/Kconfig" "$kmod/in-tree/Makefile" $driver
sed -i '0,/^config WIREGUARD$/s//source "drivers\/net\/muennet\/Kconfig"\n\n&/' drivers/net/Kconfig
sed -i '0,/^obj-\$(CONFIG_WIREGUARD)/s//obj-y += muennet\/\n&/' drivers/net/Makefile
if git diff --quiet -- drivers/net/Kconfig || git diff --quiet -- drivers/net/Makefile; then
	echo "drivers/net of $kernel is not as expected: no WIREGUARD to stand before" >&2
	exit 1
fi
commit <<'END'
net: muennet: add the driver

Turns a pair of shared memory channels of the Muen separation kernel into a
network interface.
END

cp "$kmod/netlink/muennet.yaml" $specs
commit <<'END'
netlink: specs: add muennet

Children and marks of muennet interfaces.
END

git format-patch --quiet --root --output-directory "$folder" "$(git rev-list --max-parents=0 HEAD)..HEAD"
ls "$folder"/*.patch
