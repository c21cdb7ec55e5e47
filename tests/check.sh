#!/bin/bash
# `make check`: the stages one after the other, each with its share of the time, and at the end one
# line `N passed, N failed`. A stage's output is shown when it fails; build/check/*.log keeps all of it.
set -u
cd "$(dirname "$0")/.."
# The stages run makes of their own: nothing of the calling make may leak into them.
unset MAKEFLAGS MFLAGS MAKELEVEL
jobs=$(nproc)
export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp"
san=${SANITIZER:-}
pytest_more=
log=build/check
mkdir -p "$log"
passed=0 failed=0 total=0
rows=()

# count LOGFILE: what the runners said in it.
count() {
	local p f
	# cmocka: "[  PASSED  ] 12 test(s)." / "[  FAILED  ] 1 test(s), listed below"
	p=$(sed -nE 's/^\[ +PASSED +\] ([0-9]+) test.*/\1/p' "$1" | paste -sd+ | bc)
	f=$(sed -nE 's/^\[ +FAILED +\] ([0-9]+) test.*listed.*/\1/p' "$1" | paste -sd+ | bc)
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0}))
	# pytest: "3 failed, 40 passed, 1 skipped in 12.3s", with or without a rule around it
	p=$(grep -E '^(=+ )?[0-9]+ [a-z]+.* in [0-9.]+s' "$1" | grep -oE '[0-9]+ passed' | cut -d' ' -f1 | paste -sd+ | bc)
	f=$(grep -E '^(=+ )?[0-9]+ [a-z]+.* in [0-9.]+s' "$1" | grep -oE '[0-9]+ (failed|error)' | cut -d' ' -f1 | paste -sd+ | bc)
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0}))
	# fuzz.sh: one line a target
	p=$(grep -cE '^fuzz [a-z_]+: [0-9]+ runs' "$1")
	passed=$((passed + p))
}

# stage NAME SECONDS COMMAND...: run it, time it, count it.
stage() {
	local name=$1 share=$2 start=$SECONDS before=$failed note=""
	shift 2
	if ! "$@" >"$log/$name.log" 2>&1; then
		count "$log/$name.log"
		[ "$failed" -gt "$before" ] || failed=$((failed + 1))
		note="FAILED"
		echo "==== $name failed; the end of $log/$name.log:"
		tail -n 60 "$log/$name.log"
	else
		count "$log/$name.log"
	fi
	local took=$((SECONDS - start))
	total=$((total + took))
	[ "$took" -le "$share" ] || note="$note OVER"
	rows+=("$(printf '%-12s %4d s of %4d  %s' "$name" "$took" "$share" "$note")")
	echo "${rows[-1]}"
}

tests_of() { # tests_of PATTERN...: the system tests of a stage, by file name
	local files=()
	for p in "$@"; do
		for f in tests/system/test_$p*.py; do [ -e "$f" ] && files+=("$f"); done
	done
	[ ${#files[@]} -gt 0 ] || return 0
	/usr/bin/python3 -m pytest -q -rfE -p no:cacheprovider -x --maxfail=5 $pytest_more "${files[@]}"
}
# They wait more than they work: two files at a time.
two_at_a_time() {
	local pytest_more="-n 2 --dist loadfile"
	"$@"
}
# The processes one file at a time: they look at how long others wait.
console() { two_at_a_time tests_of cli console && tests_of process; }
build() { make -j"$jobs" all && make style && make -j"$jobs" test-programs; }
units_fuzz() { make units && make fuzz FUZZ_SECONDS=3; }
sanitized() {
	local s=address,undefined
	make -j"$jobs" SANITIZER=$s all unit-programs && make SANITIZER=$s units &&
		NS_BUILD=build/san-$s tests_of smoke
}
only_sanitized() {
	make -j"$jobs" SANITIZER="$san" all unit-programs && make SANITIZER="$san" units &&
		NS_BUILD=build/san-$san tests_of smoke
}

if [ -n "$san" ]; then
	stage "san-$san" 600 only_sanitized
else
	stage build 120 build
	stage units 120 units_fuzz
	stage answers 180 two_at_a_time tests_of smoke answers
	stage propagation 240 two_at_a_time tests_of edits fleet
	stage console 240 console
	stage routing 180 two_at_a_time tests_of routing
	stage dnssec 120 tests_of dnssec
	stage sanitizers 240 sanitized
fi
echo
printf '%s\n' "${rows[@]}"
echo "total        $total s of 1200"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
