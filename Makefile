# rackseed: one file describes a cluster. `make help` lists the targets.

# ---- what there is --------------------------------------------------------------------------
VERSION  := 0.1.0
FOLDERS  := base netplan registry storage cluster image firstboot
PROGRAMS := rackseed rackseed-firstboot rackseed-share rackseed-install rackseed-netstick

# Only downwards. Used for the link line, the tests' link line and check-layers.
DEPS.base      :=
DEPS.netplan   := base
DEPS.registry  := base
DEPS.storage   := base
DEPS.cluster   := netplan registry storage base
DEPS.image     := cluster netplan registry storage base
DEPS.firstboot := cluster netplan registry storage base

# A foreign library belongs to one folder.
PKG.base       := libfyaml
PKG.netplan    := netplan
PKG.registry   := libxcrypt
PKG.storage    := smbclient
PKG.cluster    := libcrypto libcurl
PKG.image      := libguestfs libvirt fdisk ext2fs com_err blkid libmicrohttpd
PKG.firstboot  := libsystemd libnftables libmicrohttpd gnutls

MAIN.rackseed           := image
MAIN.rackseed-firstboot := firstboot
MAIN.rackseed-share     := storage
# Of image's archive it takes what writes disks, and so no library but those of that.
MAIN.rackseed-install   := image
main.rackseed-install   := image/installer
# Run in an initrd: of all the archives it takes no object that needs more than the C library.
MAIN.rackseed-netstick  := image
main.rackseed-netstick  := image/netstick

# ---- how it is built ------------------------------------------------------------------------
MODE   ?= release
B      := build/$(MODE)
CC     ?= gcc
WERROR ?= -Werror
JOBS   ?= $(shell nproc)

WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wundef -Wwrite-strings -Wformat=2 -Wmissing-prototypes \
	-Wstrict-prototypes -Wold-style-definition -Wswitch-enum -Wconversion -Wimplicit-fallthrough
CFLAGS.release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE
CFLAGS.debug   := -Og -g3 -fPIE
CFLAGS.asan    := -O1 -g3 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -fPIE
CFLAGS.cov     := -O0 -g3 --coverage -fPIE
# The analyzer of gcc 12 takes what was stored behind a pointer into an array for lost. ASan looks for
# leaks in every test, and in tests/cluster/test_memory with each allocation refused in turn.
CFLAGS.analyze := -O1 -fanalyzer -Wno-analyzer-malloc-leak
CFLAGS.fuzz    := -O1 -g3 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fPIE
LDFLAGS.release := -Wl,-z,relro,-z,now -Wl,--as-needed -pie
LDFLAGS.debug   := -Wl,--as-needed -pie
LDFLAGS.asan    := -fsanitize=address,undefined -Wl,--as-needed -pie
LDFLAGS.cov     := --coverage -Wl,--wrap=_exit -Wl,--wrap=__assert_fail -Wl,--as-needed -pie
LDFLAGS.fuzz    := -fsanitize=address,undefined -Wl,--as-needed -pie
ifeq ($(MODE),fuzz)
CC := clang
endif

ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DRACKSEED_VERSION='"$(VERSION)"' -I. $(WARNINGS) $(WERROR) \
	$(CFLAGS.$(MODE)) $(CFLAGS)

MAKEFLAGS += -r
# V=1 shows the whole command lines.
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
comma := ,
say = $(if $(filter 1,$(V)),,@echo '  $(1)')
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

sources = $(filter-out $(1)/main.c image/installer.c image/netstick.c,$(sort $(wildcard $(1)/*.c)))
objects = $(patsubst %.c,$(B)/%.o,$(call sources,$(1)))
archive = $(B)/$(1)/$(1).a
pkgs    = $(strip $(foreach f,$(1) $(DEPS.$(1)),$(PKG.$(f))))

ALL_SOURCES := $(foreach f,$(FOLDERS),$(sort $(wildcard $(f)/*.c)))
UNIT_TESTS  := $(foreach f,$(FOLDERS),$(patsubst tests/%.c,$(B)/tests/%,$(sort $(wildcard tests/$(f)/test_*.c))))
FUZZERS     := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/*.c)))

.PHONY: all node-tree
all: $(PROGRAMS:%=$(B)/%) node-tree ## the programs, at build/$(MODE)

.PHONY: debug release asan
release: ## the programs as they are installed, at build/release
debug: ## the programs for a debugger, at build/debug
asan: ## the programs with address and undefined-behaviour sanitizers, at build/asan
debug release asan:
	$(MAKE) --no-print-directory MODE=$@ all

# What goes onto every node: the program, its units and settings, laid out as below /.
NODE_FILES := $(shell find firstboot/tree -type f)
NODE_LINKS := $(shell find firstboot/tree -type l -printf '%P>%l ' | sort)
node-tree: $(B)/node/.stamp
$(B)/node/.stamp: $(B)/rackseed-firstboot $(B)/rackseed-share $(B)/rackseed-install $(B)/rackseed-netstick $(NODE_FILES) $(B)/node-links
	@rm -rf $(B)/node
	@mkdir -p $(B)/node/usr/sbin $(B)/node/usr/lib/rackseed
	@cp -a firstboot/tree/. $(B)/node/
	@install -m 0755 $(B)/rackseed-firstboot $(B)/node/usr/sbin/rackseed-firstboot
	@install -m 0755 $(B)/rackseed-share $(B)/node/usr/lib/rackseed/rackseed-share
	@install -m 0755 $(B)/rackseed-install $(B)/node/usr/sbin/rackseed-install
	@install -m 0755 $(B)/rackseed-netstick $(B)/node/usr/lib/rackseed/rackseed-netstick
	@touch $@

# Rebuilds everything when the compiler or a flag changes.
$(B)/flags: FORCE
	@mkdir -p $(B); echo '$(CC) $(subst ','\'',$(ALL_CFLAGS)) $(LDFLAGS) $(foreach f,$(FOLDERS),$(PKG.$(f)))' | cmp -s - $@ || \
	 echo '$(CC) $(subst ','\'',$(ALL_CFLAGS)) $(LDFLAGS) $(foreach f,$(FOLDERS),$(PKG.$(f)))' > $@
# The tree's links point to where nothing is here, so make cannot ask for their age.
$(B)/node-links: FORCE
	@mkdir -p $(B); echo '$(NODE_LINKS)' | cmp -s - $@ || echo '$(NODE_LINKS)' > $@
.PHONY: FORCE
FORCE:

# Tests in which memory runs out: tests/memory.h.
WRAPS.test_memory := $(patsubst %,-Wl$(comma)--wrap=%,malloc calloc realloc reallocarray strdup strndup)
WRAPS.base/test_memory := $(patsubst %,-Wl$(comma)--wrap=%,fy_diag_create fy_parser_create fy_parser_set_input_callback \
	fy_parser_parse fy_diag_errors_iterate fy_token_start_mark fy_token_end_mark fy_event_start_mark)
WRAPS.base/test_fs_refused := $(patsubst %,-Wl$(comma)--wrap=%,openat fstat fstatat read write fchmod fchmodat fsync \
	renameat unlinkat symlinkat mkdirat readlinkat fdopendir)
WRAPS.base/test_run_refused := $(patsubst %,-Wl$(comma)--wrap=%,read write poll waitpid pipe2 dup2 fork fcntl)
WRAPS.registry/test_memory := $(patsubst %,-Wl$(comma)--wrap=%,crypt_rn crypt_gensalt_rn)

# Children are counted, too.
COUNTS.cov := build/cov/tests/coverage.o
$(COUNTS.cov): tests/coverage.c
	@mkdir -p $(@D)
	$(call say,CC  $@)
	$(Q)$(CC) -O2 -g -fPIE $(WARNINGS) $(WERROR) -c -o $@ $<

define folder_rules
$(B)/$(1)/%.o: $(1)/%.c $(B)/flags
	@mkdir -p $$(@D)
	$$(call say,CC  $$@)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(if $$(PKG.$(1)),$$(shell pkg-config --cflags $$(PKG.$(1)) 2>/dev/null)) -MMD -MP -c -o $$@ $$<
$(B)/$(1)/$(1).a: $(call objects,$(1))
	@mkdir -p $$(@D); rm -f $$@
	$$(Q)ar rcs $$@ $$^
$(B)/tests/$(1)/%: tests/$(1)/%.c $(foreach f,$(1) $(DEPS.$(1)),$(call archive,$(f))) $(COUNTS.$(MODE)) $(B)/flags
	@mkdir -p $$(@D)
	$$(call say,CC  $$@)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(if $$(call pkgs,$(1)),$$(shell pkg-config --cflags $$(call pkgs,$(1)) 2>/dev/null)) -MMD -MP \
	 -o $$@ $$< $(foreach f,$(1) $(DEPS.$(1)),$(call archive,$(f))) $(COUNTS.$(MODE)) $$(LDFLAGS.$$(MODE)) $$(LDFLAGS) $$(WRAPS.$$*) $$(WRAPS.$(1)/$$*) \
	 $$(shell pkg-config --libs $$(call pkgs,$(1)) cmocka) -lm
endef
$(foreach f,$(FOLDERS),$(eval $(call folder_rules,$(f))))

define program_rule
$(B)/$(1): $(B)/$(or $(main.$(1)),$(MAIN.$(1))/main).o $(foreach f,$(MAIN.$(1)) $(DEPS.$(MAIN.$(1))),$(call archive,$(f))) $(COUNTS.$(MODE))
	$$(call say,LD  $$@)
	$$(Q)$$(CC) $$(CFLAGS.$$(MODE)) -o $$@ $$^ $$(LDFLAGS.$$(MODE)) $$(LDFLAGS) $$(shell pkg-config --libs $(call pkgs,$(MAIN.$(1))))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,$(p))))

# A fuzzer links every archive but the programs' own folders; it takes what it needs.
FUZZ_ARCHIVES := $(foreach f,cluster netplan registry storage base,$(call archive,$(f)))
# Of the program for the admin's machine only the parsers, for the rest of it links half a system.
$(B)/fuzz/archive: $(B)/image/archive.o $(B)/image/args.o
$(B)/fuzz/bolt: $(B)/image/bolt.o
$(B)/fuzz/told: $(patsubst %,$(B)/%.o,image/lease image/record image/sums firstboot/state)
$(B)/fuzz/answered: $(patsubst %,$(B)/image/%.o,flash_qcow flash_source target_content target_seed target_text)
$(B)/fuzz/disk: $(patsubst %,$(B)/image/%.o,flash_ext4 flash_source flash_qcow flash_table target_content \
	target_seed target_text)
$(B)/fuzz/%: tests/fuzz/%.c $(FUZZ_ARCHIVES) $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC  $@)
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $< $(filter %.o,$^) $(FUZZ_ARCHIVES) $(LDFLAGS.$(MODE)) \
	 $(shell pkg-config --libs libfyaml libcrypto libcurl libxcrypt netplan fdisk ext2fs com_err blkid libnftables)

# The step cluster with a world of stand-ins, its calls to the disk recorded by the linker's --wrap.
CRASH_CALLS := openat write read pread fsync syncfs renameat unlinkat mkdirat fchmod fchmodat symlinkat \
	fstatat fstat close nanosleep
CRASH_ARCHIVES := $(foreach f,firstboot $(DEPS.firstboot),$(call archive,$(f)))
$(B)/tests/crash/%.o: tests/crash/%.c $(wildcard tests/crash/*.h) $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC  $@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(B)/tests/crash/seed.o: tests/nspawn/seed.c $(B)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -Dmain=seed_main -c -o $@ $<
$(B)/tests/crash/crash: $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/crash/*.c)) $(B)/tests/crash/seed.o $(CRASH_ARCHIVES)
	$(call say,LD  $@)
	$(Q)$(CC) $(CFLAGS.$(MODE)) -o $@ $^ $(CRASH_CALLS:%=-Wl,--wrap=%) $(LDFLAGS.$(MODE)) $(LDFLAGS) \
	 $(shell pkg-config --libs $(call pkgs,firstboot))

# ---- what is checked ------------------------------------------------------------------------
VM_TESTS  := tests/vm/assemble/test
LANE      := tests/nspawn/test tests/nspawn/certificates tests/nspawn/storage tests/nspawn/data tests/nspawn/registry \
	tests/nspawn/images
BUILDS    := tests/images/ubuntu
CHECKS    := $(sort $(wildcard tests/checks/*))
FAST      := $(CHECKS) $(UNIT_TESTS:$(B)/%=build/asan/%) tests/fuzz/run
ORDERS    := store,master,worker store,worker,master master,store,worker master,worker,store \
	worker,store,master worker,master,store
FUZZ_SECONDS ?= 5
TEST ?= *

.PHONY: check check-fast check-vm check-all check-asan fuzz cov tidy bench deps demo demo-down
deps: ## installs the packages that building and testing need (as root)
	tests/deps

.PHONY: check-programs
check-programs: deps
	$(MAKE) --no-print-directory -j$(JOBS) MODE=$(MODE) all
	$(MAKE) --no-print-directory -j$(JOBS) MODE=asan $(UNIT_TESTS:$(B)/%=build/asan/%)
	$(MAKE) --no-print-directory -j$(JOBS) MODE=fuzz build-fuzzers

check: check-programs ## all tests: units, fuzzers, images of Ubuntu, nodes in systemd-nspawn, a cluster that boots
	MODE=$(MODE) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run $(FAST) $(BUILDS) $(LANE) $(VM_TESTS)

check-fast: check-programs ## what needs no boot
	MODE=$(MODE) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run $(FAST)

check-all: check-programs ## as check, with every test that boots, every order of power, and ten builds compared
	MODE=$(MODE) FUZZ_SECONDS=$(FUZZ_SECONDS) ORDERS="$(ORDERS)" TROUBLE=1 VM_SECONDS=14400 tests/run $(FAST) $(BUILDS) $(LANE) tests/images/build tests/images/cloud $(sort $(wildcard tests/vm/*/test))
	MODE=$(MODE) tests/reproducible

CRASH_STATES ?= 12000
CRASH_SEED   ?= 1
.PHONY: check-crash
check-crash: ## cuts the power at every operation of a boot, and says how many states converged
	$(MAKE) --no-print-directory -j$(JOBS) MODE=debug build/debug/tests/crash/crash
	build/debug/tests/crash/crash --states $(CRASH_STATES) --seed $(CRASH_SEED) --jobs $(JOBS)

check-unit: $(UNIT_TESTS) ## the unit tests alone; BLESS=1 rewrites golden files
	tests/run $(UNIT_TESTS)

check-asan: ## the unit tests alone, with the sanitizers
	$(MAKE) --no-print-directory -j$(JOBS) MODE=asan unit-tests
	$(MAKE) --no-print-directory MODE=asan check-unit

check-vm: deps ## tests that boot machines; TEST=assemble runs one
	$(MAKE) --no-print-directory -j$(JOBS) MODE=$(MODE) all
	MODE=$(MODE) TROUBLE=1 VM_SECONDS=14400 tests/run $(wildcard tests/vm/$(TEST)/test)

.PHONY: check-reproducible
check-reproducible: deps ## builds the same file eleven times under other circumstances, compares every byte
	$(MAKE) --no-print-directory -j$(JOBS) MODE=$(MODE) all
	MODE=$(MODE) tests/reproducible

.PHONY: check-unit build-fuzzers unit-tests
unit-tests: $(UNIT_TESTS)
build-fuzzers: $(FUZZERS)

fuzz: ## runs every fuzz target for FUZZ_SECONDS
	$(MAKE) --no-print-directory -j$(JOBS) MODE=fuzz build-fuzzers
	FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run tests/fuzz/run

cov: ## line and branch coverage per folder
	$(MAKE) --no-print-directory -j$(JOBS) MODE=cov all unit-tests
	$(MAKE) --no-print-directory MODE=cov check-unit
	tests/cov build/cov

CPPCHECK := cppcheck --enable=warning,style,performance,portability --std=c11 --quiet --error-exitcode=1 -j $(JOBS) \
	--suppressions-list=tests/cppcheck -D_GNU_SOURCE -I. --template='{file}:{line}: {severity}: {message} [{id}]'
tidy: compile_commands.json ## clang-tidy with the limits of the house, cppcheck, gcc's analyzer
	$(CPPCHECK) $(FOLDERS)
	$(MAKE) --no-print-directory -j$(JOBS) MODE=analyze CC=gcc analyzed
	jq -e 'length > 0' compile_commands.json >/dev/null
	run-clang-tidy -quiet -j $(JOBS) -p . '^$(CURDIR)/'

.PHONY: analyzed
analyzed: $(patsubst %.c,$(B)/%.o,$(sort $(wildcard $(FOLDERS:%=%/*.c))))

bench: deps ## figures as ratios; the table goes to docs/bench.md
	tests/deps bench
	$(MAKE) --no-print-directory -j$(JOBS) MODE=$(MODE) all
	tests/bench/run $(B)

demo: deps ## builds the example cluster, boots it as VMs, waits until it is Ready
	$(MAKE) --no-print-directory all
	tests/vm/demo up
demo-down: ## takes the machines of `make demo` down
	tests/vm/demo down

compile_commands.json: FORCE
	@{ $(foreach f,$(FOLDERS),printf '%s\n' $(sort $(wildcard $(f)/*.c)) | \
	 jq -R --arg d '$(CURDIR)' --arg cc '$(CC) -std=gnu11 -D_GNU_SOURCE -DRACKSEED_VERSION=\"$(VERSION)\" -I. $(WARNINGS) $(shell pkg-config --cflags $(call pkgs,$(f)))' \
	  '{directory: $$d, file: ., command: ($$cc + " -c " + .)}';) } | jq -s . > $@

# ---- install --------------------------------------------------------------------------------
DESTDIR    ?=
PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
MANDIR     ?= $(PREFIX)/share/man
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR  ?= $(PREFIX)/share/zsh/site-functions
.PHONY: install clean help
install: all ## DESTDIR and PREFIX are obeyed
	install -D -m 0755 $(B)/rackseed $(DESTDIR)$(BINDIR)/rackseed
	mkdir -p $(DESTDIR)$(LIBDIR)/rackseed
	rm -rf $(DESTDIR)$(LIBDIR)/rackseed/node
	cp -a $(B)/node $(DESTDIR)$(LIBDIR)/rackseed/node
	rm -f $(DESTDIR)$(LIBDIR)/rackseed/node/.stamp
	install -D -m 0644 image/rackseed.1 $(DESTDIR)$(MANDIR)/man1/rackseed.1
	install -D -m 0644 image/rackseed-install.8 $(DESTDIR)$(MANDIR)/man8/rackseed-install.8
	install -D -m 0644 image/cluster.yaml.5 $(DESTDIR)$(MANDIR)/man5/cluster.yaml.5
	install -D -m 0644 firstboot/rackseed-firstboot.8 $(DESTDIR)$(MANDIR)/man8/rackseed-firstboot.8
	install -D -m 0644 storage/rackseed-share.8 $(DESTDIR)$(MANDIR)/man8/rackseed-share.8
	install -D -m 0644 image/completion.bash $(DESTDIR)$(BASHCOMPDIR)/rackseed
	install -D -m 0644 image/completion.zsh $(DESTDIR)$(ZSHCOMPDIR)/_rackseed

clean: ## removes build/
	rm -rf build compile_commands.json

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

-include $(foreach f,$(FOLDERS),$(wildcard $(B)/$(f)/*.d)) $(wildcard $(B)/tests/*/*.d)
