# shellcheck shell=bash
# `rackseed drill` in a lab, as a test; sourced after cluster.sh and tap.sh. Then, with
#
#     cuts, seed     which drill        recover_s     what a recovery may take
#
# set, drill_is_survived WORD... makes it with these more words, and checks what it says. Its words are
# the test's remarks as they come; the table is left beside the logs.
: "${members:?}"

drill() { lab_rackseed drill "$@" --cuts "$cuts" --seed "$seed"; }

drill_runs() {
	# shellcheck disable=SC2154  # of whoever sources this
	drill "$@" --timeout "$recover_s" 2>&1 | tee "$lab_work/drill.txt" | stdbuf -oL sed 's/^/# /' >&3
}
drill_all_recovered() { grep "^$cuts of $cuts cuts recovered" "$lab_work/drill.txt"; }
drill_each_is_told() { [ "$(grep -c "^cut [0-9]*/$cuts:" "$lab_work/drill.txt")" -eq "$cuts" ]; }
drill_same_plan() { diff <(drill "$@" --plan) <(grep '^cut ' "$lab_work/drill.txt"); } # the seed repeats it

drill_is_survived() {
	exec 3>&1
	lab_ssh_end # those who are cut off do not say so
	check "the drill goes to its end" drill_runs "$@"
	exec 3>&-
	# shellcheck disable=SC2154  # of cluster.sh
	[ ! -s "$lab_work/drill.txt" ] || { mkdir -p "$logs" && cp "$lab_work/drill.txt" "$logs/"; }
	check "each cut is told" drill_each_is_told
	must "after each all were Ready, the cluster the same, its data there" drill_all_recovered
	check "the same seed is the same drill" drill_same_plan "$@"
}
