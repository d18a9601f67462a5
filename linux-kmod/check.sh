#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Says which way the modules are built and why, or what is missing for it:
# check.sh KDIR MUENNET_CORE WAY
set -eu
kdir=$1 core=$2 way=$3

missing() {
	echo "$1" >&2
	exit 1
}

[ -e "$kdir/include/config/auto.conf" ] ||
	missing "KDIR=$kdir is no configured kernel; install the kernel's headers or set KDIR"
[ -e "$core/lib.rs" ] || missing "MUENNET_CORE=$core does not hold muennet-core's lib.rs"
release=$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' "$kdir/include/generated/utsrelease.h")
has_rust() { grep -q '^CONFIG_RUST=y' "$kdir/include/config/auto.conf"; }

if [ -n "$way" ]; then
	why="as WAY says"
elif ! has_rust; then
	way=compat why="the kernel was built without CONFIG_RUST"
elif [ ! -e "$kdir/rust/libkernel.rmeta" ]; then
	way=compat why="$kdir/rust/libkernel.rmeta is missing; \"make modules_prepare\" with the kernel's sources makes it"
elif [ ! -e "$kdir/rust/libpin_init.rmeta" ]; then
	way=compat why="the kernel's Rust is too old"
else
	way=kernel why="the kernel was built with CONFIG_RUST"
fi
case $way in
kernel)
	has_rust || missing "the kernel in $kdir was built without CONFIG_RUST; leave WAY=kernel away"
	[ -e "$kdir/rust/libkernel.rmeta" ] ||
		missing "$kdir/rust/libkernel.rmeta is missing; run \"make modules_prepare\" with the kernel's sources, or leave WAY=kernel away"
	echo "Linux $release: the kernel's own crates ($why)"
	;;
compat)
	rustc=${RUSTC:-rustc}
	command -v "$rustc" >/dev/null || missing "there is no $rustc; install Rust 1.85 or later (rustc, rust-src)"
	version=$("$rustc" --version | sed -E 's/^rustc ([0-9]+)\.([0-9]+).*/\1 \2/')
	[ "$(echo "$version" | awk '{ print $1 * 100 + $2 }')" -ge 185 ] ||
		missing "$("$rustc" --version) is too old; install Rust 1.85 or later, or name another with RUSTC=…"
	library=${RUST_LIB_SRC:-$("$rustc" --print sysroot)/lib/rustlib/src/rust/library}
	[ -e "$library/core/src/lib.rs" ] ||
		missing "$library/core/src/lib.rs is missing; install rust-src of $("$rustc" --version), or set RUST_LIB_SRC"
	command -v "${BINDGEN:-bindgen}" >/dev/null ||
		missing "there is no ${BINDGEN:-bindgen}; install bindgen 0.69 or later (the package bindgen, or cargo install bindgen-cli)"
	echo "Linux $release: the crates of compat/ ($why)"
	;;
*)
	missing "WAY=$way is neither kernel nor compat"
	;;
esac
