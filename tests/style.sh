#!/bin/bash
# Fails on formatting, include arrows and banned calls; lists long functions and files for a look.
set -u
cd "$(dirname "$0")/.."
bad=0
# Headers are contracts whose columns are aligned by hand; clang-format decides about the code.
mapfile -t files < <(git ls-files --cached --others --exclude-standard '*.c')

if [ "${#files[@]}" -gt 0 ]; then
	if ! clang-format --dry-run -Werror "${files[@]}" 2>/tmp/ns-style.$$; then
		grep -E 'error|warning' /tmp/ns-style.$$ | cut -d: -f1 | sort | uniq -c |
			sed 's/^/style: formatting (clang-format -i): /'
		bad=1
	fi
	rm -f /tmp/ns-style.$$
fi

# arrow FOLDER ALLOWED...: which of our folders the files below FOLDER may include from.
arrow() {
	local folder=$1
	shift
	local allowed
	allowed=$(printf '%s|' "$@")
	local hits
	hits=$(git grep -nE '#include "(ipc|appliance|console|tests)/' -- "$folder" 2>/dev/null |
		grep -vE "#include \"(${allowed%|})/[^/\"]*\"")
	if [ -n "$hits" ]; then
		echo "style: include against the arrows, $folder may include from: $*"
		echo "$hits"
		bad=1
	fi
}
arrow ipc/base ipc/base
arrow ipc/client ipc/client ipc ipc/base
for f in dns zonemap serve store role keys; do
	case $f in
	dns) arrow appliance/dns appliance/dns ipc/base ;;
	zonemap) arrow appliance/zonemap appliance/zonemap appliance/dns ipc/base ;;
	serve) arrow appliance/serve appliance/serve appliance/zonemap appliance/dns ipc/base ;;
	store) arrow appliance/store appliance/store appliance/dns ipc/base ;;
	fleet) arrow appliance/fleet appliance/fleet ipc ipc/base ;;
	role) arrow appliance/role appliance/role ipc ipc/base ;;
	keys) arrow appliance/keys appliance/keys appliance/dns ipc ipc/base ;;
	esac
done
libs="ipc ipc/base appliance/dns appliance/zonemap appliance/serve appliance/store appliance/fleet appliance/keys appliance/role"
for p in supervisor sync signer answer worker probe api; do
	[ -d appliance/$p ] || continue
	# shellcheck disable=SC2086
	arrow appliance/$p appliance/$p $libs
done
arrow console/core console/core ipc/client ipc ipc/base
arrow console/terminal console/terminal console/core ipc/base
arrow console/widgets console/widgets console/core ipc/base
arrow console/screens console/screens console/widgets console/terminal console/core ipc/client ipc ipc/base
arrow console/cli console/cli console/screens ipc/client ipc ipc/base
if git grep -nE '#include <(curses|term|ncurses)' -- '*.c' '*.h' | grep -v '^console/terminal/'; then
	echo "style: curses outside console/terminal"
	bad=1
fi

banned='\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|system|popen|tmpnam|mktemp|atof|scanf)\('
if git grep -nE "$banned" -- ipc appliance console '*.c' | grep -vE '^tests/'; then
	echo "style: banned call"
	bad=1
fi
only_store=$(git grep -lE 'sqlite3' -- '*.c' '*.h' | grep -vE '^(appliance/store|tests)/')
if [ -n "$only_store" ]; then
	echo "style: SQLite outside appliance/store: $only_store"
	bad=1
fi

awk 'FNR == 1 { name = "" }
	/^[a-z_0-9]+\(/ { name = $1; start = FNR }
	/^}/ && name != "" { if (FNR - start > 60) printf "look: %s:%d %s %d lines\n", FILENAME, start, name, FNR - start; name = "" }' \
	$(git ls-files '*.c') 2>/dev/null
git ls-files '*.c' '*.h' | xargs -r wc -l | awk '$2 != "total" && $1 > 600 { print "look: " $2 " " $1 " lines" }'
exit $bad
