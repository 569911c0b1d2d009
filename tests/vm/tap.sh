# shellcheck shell=bash
# TAP for shell tests: check NAME CMD... is one test; must NAME CMD... ends the program when it fails
# (at_end runs first, through the caller's trap).

tap_n=0
tap_bad=0

tap_note() { sed 's/^/# /'; }

check() {
	local name=$1 out rc=0
	shift
	tap_n=$((tap_n + 1))
	out=$("$@" 2>&1) || rc=$?
	if [ "$rc" -eq 0 ]; then
		echo "ok $tap_n - $name"
	else
		tap_bad=$((tap_bad + 1))
		echo "not ok $tap_n - $name"
		echo "$* ended with status $rc" | tap_note
		printf '%s\n' "$out" | tail -n 60 | tap_note
	fi
	return "$rc"
}

must() {
	check "$@" || { echo "Bail out! nothing more can be tested"; exit 1; }
}
