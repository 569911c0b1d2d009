# shellcheck shell=bash
# For checks against real servers of tests/kube: sourced after $kube (its folder), $work and $build are set.
: "${kube:?}" "${work:?}" "${build:?}"
n=0
bad=0

report() { # NAME: of the command before it
	local code=$?
	n=$((n + 1))
	[ $code -ne 0 ] && echo "not ok $n - $1" && bad=1 && tail -n 3 "$work"/*.log 2>/dev/null | sed 's/^/# /'
	[ $code -ne 0 ] || echo "ok $n - $1"
}

has() { # [-v] REGEX: reads all of its input, so that the writer never dies of a closed pipe
	local text
	text=$(cat)
	grep -qE "$@" <<<"$text" || { echo "# $text" | head -n 20 && false; }
}

unpack() { # IMAGE: its files, to $work/IMAGE
	mkdir -p "$work/$1"
	tar xf "$kube/images/$1.tar" -C "$work/$1" --strip-components=1 --wildcards '*/layer.tar'
	tar xf "$work/$1/layer.tar" -C "$work/$1" && rm "$work/$1/layer.tar"
}

build_seed() { # makes $work/seed, which makes seeds
	gcc -std=gnu11 -D_GNU_SOURCE -I. -o "$work/seed" tests/nspawn/seed.c "$build"/{cluster/cluster,netplan/netplan,registry/registry,storage/storage,base/base}.a \
		-lfyaml -lcrypto -lcurl 2>"$work/gcc.log" || { cat "$work/gcc.log" >&2; exit 1; }
}

sign() { # CA NAME SUBJECT [EXTENSION]: $work/NAME.crt and .key, signed by CA.crt with CA.key
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$2.key" -subj "$3" 2>/dev/null |
		openssl x509 -req -CA "$1.crt" -CAkey "$1.key" -set_serial "$RANDOM" -days 2 -out "$work/$2.crt" \
			-extfile <(echo "${4:-basicConstraints=CA:false}") 2>/dev/null
}
