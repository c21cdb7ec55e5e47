#!/bin/sh
# deps.sh [PACKAGE...] - installs those: without any, every Debian 12 package that building, running and testing
# need. Does nothing when they are there. Services that packages bring (nsd, knot, bind9 …) are kept from starting: tests start
# their own, on loopback, and this machine's port 53 is none of our business.
set -eu

BUILD="gcc make pkg-config clang clang-format libclang-rt-14-dev lld protobuf-c-compiler scdoc"
LIBS="libprotobuf-c-dev libczmq-dev libzmq3-dev libldns-dev libmaxminddb-dev libsqlite3-dev libevent-dev libseccomp-dev
	libcap-ng-dev libjansson-dev libinih-dev libssl-dev libcurl4-openssl-dev libncurses-dev libcmocka-dev"
TESTS="nsd knot knot-dnsutils gdnsd pdns-server pdns-backend-bind bind9 bind9-utils bind9-dnsutils unbound dnsviz openssl
	ldnsutils python3 python3-pytest python3-pytest-xdist python3-pexpect python3-pyte
	python3-dnspython python3-cryptography python3-h2 python3-zmq openssh-server openssh-client screen tmux ncurses-term valgrind strace procps iproute2 bc git man-db"

# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $BUILD $LIBS $TESTS
missing=""
for p in "$@"; do
	state=$(dpkg-query -W -f '${Status}' "$p" 2>/dev/null || true)
	[ "$state" = "install ok installed" ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then sudo=""; else sudo="sudo"; fi
echo "deps: installing$missing"
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
	$sudo chmod 755 "$policy"
	trap '$sudo rm -f "$policy"' EXIT
fi
$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing \
	>/dev/null
