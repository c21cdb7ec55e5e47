#!/bin/bash
# `make check-long`: what takes longer than `make check` may: fuzzing for minutes, the units under the thread
# sanitizer, the long chaos runs, the VM image, the reference workload end to end.
set -eu
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-120}
make -j"$(nproc)" all test-programs
FUZZ_SEED=0 make fuzz FUZZ_SECONDS="$seconds" FUZZ_OPT=-O1
make -j"$(nproc)" SANITIZER=thread unit-programs
make SANITIZER=thread units
/usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/chaos
# A minute of keys, sizes, lost links and damaged replies at the console's screens, under address and undefined.
san=build/san-address,undefined
make -j"$(nproc)" SANITIZER=address,undefined $san/tools/ns_ui_test
for ((seed = RANDOM, end = SECONDS + 60; SECONDS < end; seed++)); do
	echo "ns_ui_test --storm $seed"
	$san/tools/ns_ui_test --storm $seed
done
# The console on 100,000 zones, in the first hour of an operator, and for an hour: as quick, and as large as it was.
NS_LONG=1 /usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/system/test_console.py tests/system/test_console_hour.py tests/system/test_console_soak.py
NS_LONG=1 /usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/system/test_console_terminal.py -k octets
# Other zones and questions than make check has, and more: nothing may differ outside the classes of choices.md.
for seed in ${NS_SEEDS:-2 3}; do
	NS_LONG=1 NS_SEED=$seed /usr/bin/python3 -m pytest -q -s -p no:cacheprovider \
		tests/system/test_answers_corners.py tests/system/test_answers_validators.py tests/system/test_dnssec_validators.py
done
# Half an hour of trouble in a fleet of five; it prints the seed that repeats it.
NS_LONG=1 /usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/system/test_fleet_chaos.py tests/system/test_fleet_keys.py tests/system/test_fleet_snapshot.py tests/system/test_fleet_residency.py tests/system/test_dnssec_rolls.py tests/system/test_dnssec_large.py tests/system/test_dnssec_alias.py
# What a fleet makes of sites that stay silent takes it a minute.
NS_LONG=1 /usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/system/test_routing_quorum.py
# The image, made and booted.
make image image-check
make bench
# What consoles that are open on every screen cost an answer: at most 1 % of its instructions.
make bench-cost WATCHED=--watched
