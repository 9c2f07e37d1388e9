# make demo    shows what the tools do, on real save files
# make test    all that the automatic checks run
# make help    the other targets

SWIFT ?= swift
# For example --static-swift-stdlib: tools that do not need the Swift runtime.
SWIFT_BUILD_FLAGS ?=
PREFIX ?= /usr/local
DESTDIR ?=

TOOLS := ckpt-capture ckpt-merge ckpt-verify ckpt-restore ckpt-inspect ckpt-diff
PAGES := $(TOOLS:%=Man/%.1) Man/vmckpt-image.5
BIN := $(CURDIR)/.build/release
BENCH := Tests/Benchmarks/bench
# What make fuzz runs, and for how many seconds each.
FUZZ_TARGETS ?= image chain xl libxl libxc libvirt xenserver raw elf lime kdump export check archive salvage json structure region guest classes
FUZZ_SECONDS ?= 60
FUZZ_BUILD := $(CURDIR)/.build/fuzz

BINDIR = $(DESTDIR)$(PREFIX)/bin
MANDIR = $(DESTDIR)$(PREFIX)/share/man
UNITDIR = $(DESTDIR)$(PREFIX)/lib/systemd/system
DOCDIR = $(DESTDIR)$(PREFIX)/share/doc/vmckpt
# Where the shells look for completions.
BASHDIR = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
FISHDIR = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d

# The steps of a goal come one after another, whatever -j says.
.NOTPARALLEL:
.PHONY: build demo test packages lint unit scripts man-check docs bench bench-smoke test-xen soak-xen demo-xen bench-xen fuzz install uninstall clean help

build:
	@command -v $(SWIFT) >/dev/null || { \
	  echo '$(SWIFT) is not in PATH; Swift 6.3 for Debian 12 is at https://www.swift.org/install/linux/' >&2; exit 1; }
	$(SWIFT) build -c release $(SWIFT_BUILD_FLAGS)

demo: packages build
	BIN="$(BIN)" Tests/Scripts/demo.sh

test: packages lint build unit scripts

packages:
	.ci/install

lint:
	$(SWIFT) format lint --strict -r Sources Tests Package.swift

unit:
	$(SWIFT) test

scripts:
	BIN="$(BIN)" MAKE="$(MAKE)" .ci/scripts

man-check:
	mandoc -T lint -W warning $(PAGES)
	BIN="$(BIN)" Tests/Scripts/man-options.sh

# The library's documentation, into DOCS_OUT.
DOCS_OUT ?= $(CURDIR)/.build/docs
docs:
	DOCS=1 $(SWIFT) package --scratch-path .build/documentation --disable-sandbox \
	  --allow-writing-to-directory "$(DOCS_OUT)" generate-documentation --target VMCheckpoint --warnings-as-errors --transform-for-static-hosting \
	  --output-path "$(DOCS_OUT)"

bench: build
	BIN="$(BIN)" $(BENCH)

bench-smoke:
	BIN="$(BIN)" $(BENCH) --smoke

# On Xen in QEMU. XEN_OUT gets what the jobs wrote, and the consoles.
XEN_OUT ?= $(CURDIR)/.build/xen
XEN_JOB = BIN="$(BIN)" Tests/Xen/run-job

test-xen: build
	BIN="$(BIN)" Tests/Scripts/test-xen.sh

soak-xen: build
	$(XEN_JOB) Tests/Xen/live "$(XEN_OUT)/soak" --timeout 7200 --env PARTS=soak:pvh:100:50:20
	$(XEN_JOB) Tests/Xen/live "$(XEN_OUT)/soak-evict" --timeout 7200 \
	  --env PARTS="$$(printf 'evict:pvh:2:%d ' $$(seq 20))"
	$(XEN_JOB) Tests/Xen/live "$(XEN_OUT)/soak-evict-pv" --timeout 7200 --xen shadow \
	  --env PARTS="$$(printf 'evict:pv:2:%d ' $$(seq 20))"
	$(XEN_JOB) Tests/Xen/live "$(XEN_OUT)/soak-squeeze" --timeout 7200 \
	  --env PARTS="$$(printf 'squeeze:pvh:anon:%d squeeze:pvh:cache:%d ' $$(seq 20))"
	$(XEN_JOB) Tests/Xen/live "$(XEN_OUT)/soak-squeeze-pv" --timeout 7200 \
	  --env PARTS="$$(printf 'squeeze:pv:anon:%d squeeze:pv:cache:%d ' $$(seq 20))"

demo-xen: build
	$(XEN_JOB) Tests/Xen/demo "$(XEN_OUT)/demo"

bench-xen: build
	$(XEN_JOB) Tests/Xen/pause "$(XEN_OUT)/pvh" --timeout 1800 --env TYPE=pvh
	$(XEN_JOB) Tests/Xen/pause "$(XEN_OUT)/pv" --timeout 1800 --env TYPE=pv
	$(XEN_JOB) Tests/Xen/pause "$(XEN_OUT)/pv-shadow" --timeout 1800 --env TYPE=pv --xen shadow
	$(XEN_JOB) Tests/Xen/table "$(XEN_OUT)/table" --timeout 3600 --mem 6144 --dom0-mem 4096 --env SIZE=512
	$(XEN_JOB) Tests/Xen/table "$(XEN_OUT)/table-pv" --timeout 3600 --mem 6144 --dom0-mem 4096 --env SIZE=512 \
	  --env TYPE=pv --xen shadow

# A find ends it; the input is then in the corpus' folder, and belongs into Tests/Fuzz/Corpus.
fuzz:
	FUZZ=1 $(SWIFT) build -c release --sanitize=fuzzer --product fuzz --scratch-path "$(FUZZ_BUILD)"
	set -e; for target in $(FUZZ_TARGETS); do \
	  mkdir -p "$(FUZZ_BUILD)/corpus/$$target"; \
	  TARGET=$$target SWIFT_BACKTRACE=enable=no "$(FUZZ_BUILD)/release/fuzz" \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -timeout=20 -rss_limit_mb=4096 -verbosity=0 \
	    -print_final_stats=1 -artifact_prefix="$(FUZZ_BUILD)/corpus/$$target-" \
	    "$(FUZZ_BUILD)/corpus/$$target" Tests/Fuzz/Corpus/$$target; \
	done

install: build
	install -d "$(BINDIR)" "$(MANDIR)/man1" "$(MANDIR)/man5" "$(UNITDIR)" "$(DOCDIR)" "$(BASHDIR)" "$(ZSHDIR)" "$(FISHDIR)"
	install -m 755 $(TOOLS:%="$(BIN)"/%) "$(BINDIR)"
	install -m 644 $(filter %.1,$(PAGES)) "$(MANDIR)/man1"
	install -m 644 $(filter %.5,$(PAGES)) "$(MANDIR)/man5"
	sed 's|@BINDIR@|$(PREFIX)/bin|' Man/systemd/ckpt-capture@.service >"$(UNITDIR)/ckpt-capture@.service"
	chmod 644 "$(UNITDIR)/ckpt-capture@.service"
	install -m 644 Man/systemd/ckpt-capture.conf "$(DOCDIR)"
	set -e; for tool in $(TOOLS); do \
	  "$(BIN)/$$tool" --generate-completion-script bash >"$(BASHDIR)/$$tool"; \
	  "$(BIN)/$$tool" --generate-completion-script zsh >"$(ZSHDIR)/_$$tool"; \
	  "$(BIN)/$$tool" --generate-completion-script fish >"$(FISHDIR)/$$tool.fish"; \
	  chmod 644 "$(BASHDIR)/$$tool" "$(ZSHDIR)/_$$tool" "$(FISHDIR)/$$tool.fish"; \
	done

uninstall:
	rm -f $(TOOLS:%="$(BINDIR)"/%)
	rm -f $(patsubst Man/%,"$(MANDIR)/man1"/%,$(filter %.1,$(PAGES))) $(patsubst Man/%,"$(MANDIR)/man5"/%,$(filter %.5,$(PAGES)))
	rm -f "$(UNITDIR)/ckpt-capture@.service" "$(DOCDIR)/ckpt-capture.conf"
	rm -f $(TOOLS:%="$(BASHDIR)"/%) $(TOOLS:%="$(ZSHDIR)"/_%) $(TOOLS:%="$(FISHDIR)"/%.fish)

clean:
	rm -rf .build

help:
	@echo 'make build       build the tools into .build/release'
	@echo 'make demo        install what is missing, build, and show the tools on real save files'
	@echo 'make test        install what is missing, lint, build, and run every test'
	@echo 'make lint        check the format of the sources'
	@echo 'make unit        run the Swift tests only'
	@echo 'make scripts     run the script tests only (needs a build)'
	@echo 'make man-check   check the man pages against the tools (needs a build)'
	@echo 'make docs        build the documentation of the library into DOCS_OUT (.build/docs)'
	@echo 'make bench       measure (make bench-smoke: only see that measuring works)'
	@echo 'make test-xen    live captures of guests on Xen, in QEMU (part of make test)'
	@echo 'make soak-xen    the same for some hours: 100 captures, 50 kills, 20 restores; 20 seeds each without free pages and squeezed'
	@echo 'make demo-xen    capture a guest on Xen every second, lose it, and bring it back'
	@echo 'make bench-xen   how long a guest of 512 MiB stands still, and what its images take, beside xl save -c'
	@echo 'make fuzz        look for inputs that break the tools, FUZZ_SECONDS ($(FUZZ_SECONDS)) for each of FUZZ_TARGETS'
	@echo 'make install     install tools, man pages, completions and a systemd unit under PREFIX ($(PREFIX)); DESTDIR is put before it'
	@echo 'make uninstall   remove them again'
	@echo 'make clean       remove .build'
