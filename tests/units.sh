#!/bin/sh
# units.sh PROGRAM... - run each unit program, two at a time, what each says in one piece; the first that fails ends it.
set -eu
# shellcheck disable=SC2016
printf '%s\n' "$@" | xargs -P 2 -I '{}' sh -c '
	status=0
	said=$(timeout 120 {} 2>&1) || status=$?
	printf "%s\n%s\n" {} "$said"
	[ "$status" -eq 0 ] || { echo "{}: exit $status"; exit 255; }'
