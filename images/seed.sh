#!/bin/sh
# seed.sh DIR FILE: a NoCloud seed for a virtual disk, of DIR/user-data, DIR/meta-data and, where it is,
# DIR/network-config. Needs mtools and dosfstools.
set -eu
[ $# = 2 ] || { echo "usage: $0 DIR FILE" >&2 && exit 2; }
fresh=$2.new
rm -f "$fresh"
truncate -s 2M "$fresh"
/usr/sbin/mkfs.vfat -n CIDATA "$fresh" >/dev/null
for f in user-data meta-data network-config; do
	if [ -e "$1/$f" ]; then
		mcopy -i "$fresh" "$1/$f" "::$f"
	elif [ $f != network-config ]; then
		echo "seed: $1/$f is missing" >&2
		exit 1
	fi
done
mv "$fresh" "$2"
