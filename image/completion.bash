# bash completion for rackseed; it asks the program, so that it cannot drift
_rackseed()
{
	local cur=${COMP_WORDS[COMP_CWORD]} word command=
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $word in
		-*) ;;
		*) command=$word; break ;;
		esac
	done
	mapfile -t COMPREPLY < <(compgen -W "$(rackseed ${command:+"$command"} --list-options 2>/dev/null | cut -f1)" -- "$cur")
	if [ ${#COMPREPLY[@]} -eq 0 ]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}
complete -o filenames -F _rackseed rackseed
