# shellcheck shell=bash
# An apt of a test's own: nothing of the machine's lists, status or preferences is used or changed.
# Sourced behind lab.sh; then
#
#     apt_configure FOLDER SUITE         it works in FOLDER, with a Debian suite of this machine's mirror
#     apt_own SECONDS WORD...            its apt-get; what it complains of is in FOLDER/told
#     apt_resolve FOLDER SUITE LIST WORD...
#
# The last asks, once a week, what `apt-get WORD...` would fetch, a line per package with its sum, and
# goes by what it knows when the mirror does not answer.
# Status 3 of these: there is no mirror, no such suite, or the suite lacks a package.

apt_configure() {
	local suite=$2
	apt_folder=$1
	apt_mirror=$(lab_mirror)
	mkdir -p "$apt_folder/lists/partial" "$apt_folder/cache/archives/partial"
	if [ -z "$apt_mirror" ]; then
		echo "apt knows no Debian mirror (RACKSEED_DEBIAN_MIRROR=URL)" | tee "$apt_folder/told" >&2
		return 3
	fi
	: >"$apt_folder/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $apt_mirror $suite main" >"$apt_folder/sources.list"
	cat >"$apt_folder/apt.conf" <<-EOF
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		APT::Update::Error-Mode "any";
		Acquire::Languages "none";
		Acquire::Retries "2";
		Acquire::http::Timeout "20";
		Acquire::https::Timeout "20";
		Dir::Etc::sourcelist "$apt_folder/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State "$apt_folder";
		Dir::State::status "$apt_folder/status";
		Dir::Cache "$apt_folder/cache";
	EOF
	apt_own 180 update >&2 && return
	! grep -q "does not have a Release file" "$apt_folder/told" || { echo "the mirror has no suite $suite" >&2; return 3; }
	return 1
}

apt_own() {
	local r=0
	APT_CONFIG=$apt_folder/apt.conf timeout "$1" apt-get -qq "${@:2}" 2>"$apt_folder/told" || r=$?
	[ $r != 124 ] || echo "not within $1 seconds" >>"$apt_folder/told"
	return $r
}

apt_complaint() { head -n 1 "$apt_folder/told"; }

apt_resolve() {
	local suite=$2 list=$3 r=0
	[ -z "$(find "$list" -mtime -7 2>/dev/null)" ] || return 0
	apt_configure "$1" "$suite" || r=$?
	if [ $r = 0 ] && apt_own 180 "${@:4}" --print-uris >"$list.new"; then
		sort "$list.new" | sed 's/^[^ ]* //' >"$list.sorted" && mv "$list.sorted" "$list" && rm "$list.new"
		return
	fi
	rm -f "$list.new"
	[ $r != 3 ] || return 3
	if grep -qE "Unable to locate|no candidate|Can't select" "$apt_folder/told"; then
		echo "$suite: $(apt_complaint)" >&2
		return 3
	fi
	if [ ! -s "$list" ]; then
		echo "$apt_mirror does not tell what $suite has: $(apt_complaint)" >&2
		return 1
	fi
	echo "$apt_mirror does not answer, so $suite as it was on $(date -r "$list" +%F)" >&2
}
