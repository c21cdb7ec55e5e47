#!/bin/bash
# Makes the VM image FILE.qcow2 of what is built: Debian 12 by mmdebstrap, NameServe by `make install`, and what is
# below images/root. Needs root (for mmdebstrap's chroot), but neither mounts nor loop devices.
# MIRROR: Debian's, and SECURITY: that of its security updates, to pin both to a day of snapshot.debian.org.
# BASE: a file that keeps Debian's part for the next image, and from which it is taken when it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/image/nameserve.qcow2}
MIRROR=${MIRROR:-http://deb.debian.org/debian}
SECURITY=${SECURITY:-http://deb.debian.org/debian-security}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
DISK_MIB=4096 ESP_MIB=32 # the root file system grows to its disk at each boot
FIRST_MIB=1              # GRUB's core lies between the partition table and this

if [ "$(id -u)" != 0 ]; then exec sudo --preserve-env=BASE,MIRROR,SECURITY,SOURCE_DATE_EPOCH "$0" "$out"; fi
[ "$(dpkg --print-architecture)" = amd64 ] || { echo "image: amd64 only" >&2 && exit 1; }
mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$(readlink -f "$(dirname "$out")")/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root
uuid=$(echo "nameserve $SOURCE_DATE_EPOCH" | md5sum | sed -E 's/(.{8})(.{4})(.{4})(.{4})(.{12}).*/\1-\2-\3-\4-\5/')
esp_id=$(printf %08X "$((16#${uuid%%-*}))")

say() { echo "image: $*"; }

debian() {
	say "Debian 12 from $MIRROR"
	mmdebstrap --quiet --mode=root --variant=minbase --format=tar \
		--include="$(sed 's/#.*//' images/packages | xargs | tr ' ' ,)" \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-include=/usr/share/doc/*/copyright' \
		bookworm "$work/base.tar" \
		"deb $MIRROR bookworm main" "deb $MIRROR bookworm-updates main" "deb $SECURITY bookworm-security main"
	tar -xpf "$work/base.tar" -C "$root" --numeric-owner
	if [ -n "${BASE:-}" ]; then mv "$work/base.tar" "$BASE"; else rm "$work/base.tar"; fi
}

install_nameserve() {
	make -s install DESTDIR="$root" PREFIX=/usr/local
	strip --strip-unneeded "$root"/usr/local/bin/* "$root"/usr/local/libexec/*
	cp -r --no-preserve=ownership images/root/. "$root"
	cp images/README.md "$root/usr/share/doc/nameserve.md"
	sed -i "s/@UUID@/$uuid/; s/@ESP@/${esp_id:0:4}-${esp_id:4}/" "$root/etc/fstab" "$root/boot/grub/grub.cfg"
	local missing
	missing=$(for p in "$root"/usr/local/bin/* "$root"/usr/local/libexec/*; do
		chroot "$root" ldd "${p#"$root"}"
	done | awk '/not found/ { print $1 }' | sort -u)
	[ -z "$missing" ] || { echo "image: images/packages lacks: $missing" >&2 && exit 1; }
}

# Of two machines from one image nothing secret may be alike: it is made at the first boot.
forget() {
	rm -f "$root"/etc/ssh/ssh_host_* "$root/var/lib/systemd/random-seed" "$root/var/lib/dbus/machine-id" \
		"$root/etc/nameserve/kek" "$root/etc/hostname"
	: >"$root/etc/machine-id"
	ln -sf ../run/systemd/resolve/resolv.conf "$root/etc/resolv.conf"
	find "$root/var/log" -type f -delete
	rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/tmp/* "$root"/var/cache/man/*
	find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

# GRUB for a BIOS: its first sector, its core in the sectors that follow (where boot.img looks for it), modules.
grub_bios() {
	mkdir -p "$root/boot/grub/i386-pc"
	cp "$root"/usr/lib/grub/i386-pc/*.{mod,lst} "$root/boot/grub/i386-pc/"
	chroot "$root" grub-mkimage -O i386-pc -o /boot/grub/i386-pc/core.img -p '(,msdos2)/boot/grub' \
		biosdisk part_msdos ext2 normal search search_fs_uuid
	cp "$root/usr/lib/grub/i386-pc/boot.img" "$root/boot/grub/i386-pc/"
}

# GRUB for UEFI, as Debian signed it, where firmware looks when nobody told it where.
esp() {
	truncate -s "${ESP_MIB}M" "$work/esp"
	mkfs.vfat -n ESP -i "$esp_id" "$work/esp" >/dev/null
	cat >"$work/grub.cfg" <<-EOF
		search.fs_uuid $uuid root
		set prefix=(\$root)/boot/grub
		configfile \$prefix/grub.cfg
	EOF
	mmd -i "$work/esp" ::EFI ::EFI/BOOT ::EFI/debian
	mcopy -i "$work/esp" "$root/usr/lib/shim/shimx64.efi.signed" ::EFI/BOOT/BOOTX64.EFI
	mcopy -i "$work/esp" "$root/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" ::EFI/BOOT/grubx64.efi
	mcopy -i "$work/esp" "$work/grub.cfg" ::EFI/debian/grub.cfg
}

put() { dd if="$1" of="$work/disk" bs="$2" seek="$3" conv=notrunc,sparse status=none; }

disk() {
	local root_mib=$((DISK_MIB - FIRST_MIB - ESP_MIB)) core=$root/boot/grub/i386-pc/core.img
	[ "$(stat -c %s "$core")" -lt $((FIRST_MIB * 1048576 - 512)) ]
	truncate -s "${DISK_MIB}M" "$work/disk"
	sfdisk -q "$work/disk" <<-EOF
		label: dos
		label-id: 0x$esp_id
		start=${FIRST_MIB}MiB, size=${ESP_MIB}MiB, type=ef
		start=$((FIRST_MIB + ESP_MIB))MiB, type=83, bootable
	EOF
	head -c 440 "$root/boot/grub/i386-pc/boot.img" >"$work/boot"
	put "$work/boot" 1 0
	put "$core" 512 1
	put "$work/esp" 1M "$FIRST_MIB"
	truncate -s "${root_mib}M" "$work/rootfs"
	E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -t ext4 -L nameserve -U "$uuid" -E "hash_seed=$uuid" -m 1 \
		-d "$root" "$work/rootfs"
	put "$work/rootfs" 1M $((FIRST_MIB + ESP_MIB))
}

mkdir "$root"
if [ -e "${BASE:-}" ]; then tar -xpf "$BASE" -C "$root" --numeric-owner; else debian; fi
say "NameServe $(git describe --always --dirty)"
install_nameserve
chroot "$root" /bin/sh <images/setup.sh
grub_bios
forget
esp
disk
qemu-img convert -c -O qcow2 "$work/disk" "$work/image"
mv "$work/image" "$out"
chmod 644 "$out"
say "$out, $(($(stat -c %s "$out") / 1048576)) MiB"
