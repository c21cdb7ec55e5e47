#!/bin/sh
# fuzz.sh SECONDS FUZZER... - run each fuzz target for so long, from its seeds, two at a time.
# By chance that is the same each time, so that what refuses a change is the change; FUZZ_SEED=0: another one each time.
# Findings are kept in build/fuzz/findings; any finding is a failure.
set -eu
seconds=$1
shift
mkdir -p build/fuzz/findings
# shellcheck disable=SC2016
printf '%s\n' "$@" | xargs -P 2 -I '{}' sh -c '
	name=$(basename {} _fuzz)
	work=build/fuzz/corpus/$name
	mkdir -p "$work"
	seeds=tests/fuzz/corpus/$name
	[ -d "$seeds" ] || seeds=
	if {} -max_total_time='"$seconds"' -seed='"${FUZZ_SEED:-1}"' -timeout=20 -rss_limit_mb=1024 -print_final_stats=1 \
	    -artifact_prefix=build/fuzz/findings/$name- "$work" $seeds >"build/fuzz/$name.log" 2>&1; then
		echo "fuzz $name: $(sed -n "s/stat::number_of_executed_units: *//p" build/fuzz/$name.log) runs"
	else
		tail -40 "build/fuzz/$name.log"
		echo "fuzz $name: FAILED"
		exit 255
	fi'
