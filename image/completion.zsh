#compdef rackseed
# asks the program, so that it cannot drift
local command word
for word in ${words[2,CURRENT-1]}; do
	[[ $word == -* ]] || { command=$word; break }
done
local -a found
found=(${(f)"$(rackseed $command --list-options 2>/dev/null | sed 's/\t/:/')"})
_describe rackseed found || _files
