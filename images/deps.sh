#!/bin/sh
# Every Debian 12 package that `make image` and `make image-check` need beside those of tests/deps.sh.
set -eu

BUILD="mmdebstrap debian-archive-keyring qemu-utils fdisk e2fsprogs dosfstools mtools"
CHECK="qemu-system-x86 ovmf jq bind9-dnsutils openssh-client python3 python3-pytest python3-dnspython"

# shellcheck disable=SC2086
exec "$(dirname "$0")/../tests/deps.sh" $BUILD $CHECK
