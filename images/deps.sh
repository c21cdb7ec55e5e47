#!/bin/sh
# Every Debian 12 package that `make image` and `make image-check` need beside those of tests/deps.sh. Does
# nothing when they are there.
set -eu

BUILD="mmdebstrap debian-archive-keyring qemu-utils fdisk e2fsprogs dosfstools mtools"
CHECK="qemu-system-x86 ovmf jq bind9-dnsutils openssh-client python3 python3-pytest"

missing=""
for p in $BUILD $CHECK; do
	state=$(dpkg-query -W -f '${Status}' "$p" 2>/dev/null || true)
	[ "$state" = "install ok installed" ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then sudo=""; else sudo="sudo"; fi
echo "image: installing$missing"
$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing \
	>/dev/null
