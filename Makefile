# HAKMEM. `make` builds the library, `make run` shows it at work, `make check` runs all that CI runs.
.DEFAULT_GOAL := build

build: ## target/release/libhakmem.so (stripped, symbols in libhakmem.so.debug), libhakmem.a, include/hakmem.h
	scripts/build.sh

cli: build ## the command, cli/target/release/hakmem
	bash -c '. scripts/target.sh; exec cargo build --release --locked --manifest-path cli/Cargo.toml $${target:+--target $$target}'

run: build bench_c ## a compiler and two benchmarks on it, beside the system's malloc: ten lines; HAKMEM_STATS=1: counters too
	@scripts/run.sh

install: ## the library, its header, hakmem.pc, CMake's package, man pages, the command if it is built: PREFIX=/usr/local DESTDIR= LIBDIR= …
	scripts/install.sh

uninstall: ## what `make install` with the same variables put there
	scripts/install.sh --uninstall

deb: cli ## Debian packages in target/debian/: libhakmem0, libhakmem-dev, hakmem, libhakmem0-dbgsym
	scripts/deb.sh

rpm: cli ## RPM packages in target/rpm/: libhakmem0, hakmem-devel, hakmem; tests/install/rpm.sh tries them
	scripts/rpm.sh

test: build ## unit tests, the C and C++ suite, the loom models
	cargo test
	tests/c/run.sh
	scripts/check_loom.sh
	tests/install/run.sh

check: ## everything CI runs, cheapest first: one line a step, logs in target/check/; SETUP=0: without installing what is missing
	scripts/check.sh

bench_c: build ## the benchmark programs, linked with the system's malloc and with HAKMEM
	@$(MAKE) -s -C bench_c

real-more: build ## emacs and LibreOffice under the library (130 MB of packages), and all real programs with HAKMEM_HARDENED=light and =1: 20 minutes
	tests/real/run.sh --more
	HAKMEM_HARDENED=light tests/real/run.sh --more --again
	HAKMEM_HARDENED=1 tests/real/run.sh --more --again
	HAKMEM_HARDENED=light tests/real/run.sh
	HAKMEM_HARDENED=1 tests/real/run.sh --again

check-arm64: ## the whole C and C++ suite, the property test and the soak test on arm64, under an emulator: half an hour
	scripts/check_arm64.sh --full

sbom: ## what library and command are made of, as CycloneDX: target/sbom/, by cargo-cyclonedx
	scripts/sbom.sh

check-capi: build ## the C library as cargo-c builds it from the crate: two minutes
	tests/install/capi.sh

check-conan: ## the Conan recipe, shared and static, and a program linked with the package: two builds of the library; pip install conan
	tests/install/conan.sh

check-arch: ## the PKGBUILD: makepkg builds the package, pacman installs and removes it; four minutes, as root
	tests/install/arch.sh

recipes: deb ## docs/RECIPES.md's commands and the Dockerfile's, in fresh Debians: as root, ten minutes
	tests/docs/recipes.sh

check-reproducible: ## built twice, in two directories, with other languages, time zones and umasks: the same bits, packages too; ten minutes
	scripts/check_reproducible.sh

check-profile: build ## the heap profiler's estimates of known loads in C, C++ and Rust, at 4 KiB and 512 KiB, over 50 seeds: a minute
	tests/profile/run.py

tsan: ## the property test under ThreadSanitizer: minutes
	scripts/check_tsan.sh

soak: build ## random programs with every byte checked, in all modes and under faults: SOAK_SECONDS=600
	tests/soak/run.sh $(SOAK_SECONDS)

soak-requests: build ## a server of requests, each with an arena that goes from thread to thread, every byte checked, in all modes: a minute
	tests/soak/requests.sh 60

bench: bench_c cli ## HAKMEM beside the system's malloc and what else is installed: eight minutes, and a page of plots
	mkdir -p target/bench
	scripts/bench_all.sh --short --json target/bench/short.json
	scripts/bench_report.py target/bench/short.json target/bench/short.html --svg-dir target/bench/svg --markdown target/bench/short.md

bench-full: bench_c cli ## the same with more rounds, sizes and threads: 75 minutes
	mkdir -p target/bench
	scripts/bench_all.sh --full --json target/bench/full.json
	scripts/bench_report.py target/bench/full.json target/bench/full.html --svg-dir target/bench/svg-full --markdown target/bench/full.md

ROUNDS ?= 5

figures: bench_c ## the tables and the plot of README.md and docs/BENCHMARKS.md measured anew: WITH='--with "NAME=LIBRARY" …' ROUNDS=5; a quarter of an hour
	mkdir -p target/bench
	rm -f target/bench/figures.json
	-scripts/bench_all.sh --rounds $(ROUNDS) --only system,hakmem,floor,c,real $(WITH) --json target/bench/figures.json # status 1: one of the others fails
	scripts/bench_tables.py --rounds $(ROUNDS) $(WITH) --all target/bench/figures.json --write

evaluation: bench_c ## the measurements of TINY_HEAP_V2_EVALUATION.md, and its tables from them: 25 minutes
	mkdir -p target/bench
	scripts/evaluate.sh --out target/bench/evaluation.json
	scripts/evaluate.sh --markdown target/bench/evaluation.json

clean:
	cargo clean
	cargo clean --manifest-path cli/Cargo.toml
	$(MAKE) -C bench_c clean
	rm -rf tests/c/build tests/real/build

help: ## this list
	@sed -n 's/^\([a-z0-9_-]*\):.* ## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

fuzz: ## libFuzzer over the allocator and the readers of traces, five minutes for each target
	scripts/fuzz.sh ops 300
	scripts/fuzz.sh threads 300
	scripts/fuzz.sh traces 300

SOAK_SECONDS ?= 600

# Of the command line or the environment, for the install scripts.
export TARGET EMULATOR PREFIX DESTDIR BINDIR LIBDIR INCLUDEDIR DATADIR MANDIR DOCDIR COMMAND

.PHONY: build cli run test check check-arch check-arm64 check-conan check-reproducible recipes sbom check-capi check-profile real-more soak soak-requests fuzz bench_c bench bench-full figures evaluation tsan clean help install uninstall deb rpm
# The steps share target/ and two cores.
.NOTPARALLEL:
