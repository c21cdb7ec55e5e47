#!/bin/bash
# `make demo`: one appliance on loopback with sample zones, and the console; without a terminal, until Ctrl-C.
# State in build/demo.
set -eu
cd "$(dirname "$0")/../.."
top=$PWD
demo=$top/build/demo

# As root the processes run as users of their own, who must be able to walk to their directory. Where
# the checkout is private (say below /root), the state lives elsewhere and build/demo points to it.
reachable() {
	local d=$1
	while :; do
		case $(stat -c %a "$d") in *[1357]) ;; *) return 1 ;; esac
		[ "$d" = / ] && return 0
		d=$(dirname "$d")
	done
}
mkdir -p build
if [ "$(id -u)" = 0 ] && ! reachable "$top/build"; then
	if [ ! -e "$demo" ]; then
		place=$(mktemp -d /var/tmp/nameserve-demo.XXXXXX)
		chmod 755 "$place"
		ln -s "$place" "$demo"
	fi
	echo "This checkout is private; the demo's state is in $(readlink -f "$demo")."
fi
mkdir -p "$demo"
real=$(readlink -f "$demo")
first=0
[ -e "$real/data" ] || first=1

cat >"$real/nameserved.conf" <<EOF
[appliance]
name = demo
role = primary
site = home
data = $real/data
run = $real/run
[dns]
listen = 127.0.0.1@5300, ::1@5300
[api]
listen = http://127.0.0.1:8053
[keys]
kek = $real/kek
EOF
if ! grep -q . /proc/net/if_inet6 2>/dev/null; then
	sed -i 's/, ::1@5300//' "$real/nameserved.conf"
fi

build/bin/nameserved --config "$real/nameserved.conf" 2>"$real/log" &
pid=$!
stop() {
	trap - INT TERM EXIT
	kill "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}
trap stop EXIT
trap 'stop; exit 0' INT TERM
ns() { build/bin/nameserve --socket "$real/run/control" "$@"; }

for _ in $(seq 100); do
	kill -0 "$pid" 2>/dev/null || { cat "$real/log" >&2; exit 1; }
	ns status >/dev/null 2>&1 && break
	sleep 0.1
done
if [ "$first" = 1 ]; then
	ns settings set nameservers ns1.nameserve.example.,ns2.nameserve.example. \
	    hostmaster hostmaster.nameserve.example. >/dev/null
	ns zone import --dir tests/demo/zones
fi
if [ -t 0 ] && [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; then
	# The console until Q; the appliance goes with it.
	ns console || ns status
	exit 0
fi
ns status
cat <<EOF

NameServe answers on 127.0.0.1 port 5300 (log: build/demo/log). Try, in another terminal:

  export NAMESERVE_SOCKET=$real/run/control
  PATH=$top/build/bin:\$PATH
  dig @127.0.0.1 -p 5300 www.shop.example A
  dig @127.0.0.1 -p 5300 +tcp anything.stores.shop.example A
  nameserve zone list
  nameserve record set shop.example www 60 A 192.0.2.81 --commit -m 'move www'
  nameserve history list
  nameserve stats

Ctrl-C stops it.
EOF
wait "$pid"
