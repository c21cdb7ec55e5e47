#!/bin/sh
# Read by a shell in the image's root, when packages and files are in place (build.sh).
set -eu
systemd-sysusers
install -d -m 755 /etc/ssh/keys /boot/efi
# The account that operators share: no password, no shell, keys in /etc/ssh/keys/ops.
useradd --system --create-home --home-dir /home/ops --shell /usr/local/bin/nameserve ops
passwd -q -l root
systemctl -q enable nameserved nameserve-first-boot nameserve-announce serial-getty@ttyS0 systemd-networkd systemd-resolved
systemctl -q disable bird
