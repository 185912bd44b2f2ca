# One command for each thing one does here. Every target first sees to it that what it needs from Debian is there
# (`deps`: installs as root, otherwise says what is missing).
#
#   make build        one native program, out/lazysnap; CPU=baseline for older processors, CONFIGURATION=Debug for the JIT
#   make test         everything that CI runs; the last line is the sum
#   make test-matrix  the integration tests on several containerds; writes docs/COMPATIBILITY.md
#   make demo         a container from an image that is not on the node, against overlayfs; ARGS="--beside soci" and soci
#   make bench        measurements; ARGS="inflate|index|index-memory|open|tree|start|soci" picks one
#   make fuzz         a million mutated inputs for every parser; ARGS="TARGET --iterations N --seed S"
#   make fuzz ARGS="--guided TARGET|all --minutes N"   AFL++ looks for inputs, by the branches they take
#   make odd-images   random odd images through overlayfs and through us; ARGS="--seed S --count N"
#   make check        format, warnings, architecture
#   make install      PREFIX=/usr/local DESTDIR= : the program and its systemd unit

.PHONY: help deps build images test test-matrix demo bench fuzz odd-images check fmt install uninstall clean

PREFIX ?= /usr/local
DESTDIR ?=
SYSTEMD ?= /etc/systemd/system
export CONFIGURATION
CPU = x86-64-v3
export DOTNET_CLI_TELEMETRY_OPTOUT = 1
export DOTNET_NOLOGO = 1

help:
	@sed -n '/^#   make/s/^#   //p' Makefile

deps:
	@.ci/deps

# Remembered file by file by the SDK itself; the target is phony on purpose. What the demo, the benchmarks and the comparisons
# below start is what was built here.
ifeq ($(CONFIGURATION),Debug)
PROGRAM = $(CURDIR)/src/LazySnapshotter.Cli/bin/Debug/net10.0/lazysnap
build:
	@.ci/deps build
	dotnet build src/LazySnapshotter.Cli --configuration Debug --nologo --verbosity quiet
	@echo "built $(PROGRAM)"
else
PROGRAM = $(CURDIR)/out/lazysnap
build:
	@.ci/deps build
	rm -rf out
	dotnet publish src/LazySnapshotter.Cli --configuration Release --output out --nologo --verbosity quiet \
		-p:ProcessorLevel=$(CPU) -p:SymbolsFolder=$(CURDIR)/artifacts/symbols
	@echo "built out/lazysnap; its symbols are in artifacts/symbols"
endif

images: deps
	tests/images/build

test: deps
	@.ci/test

test-matrix: deps images build
	LAZYSNAP_PROGRAM=$(PROGRAM) tests/matrix/run.sh

# The demo builds the one image it shows. What is built is named: it takes minutes the first time.
demo: deps
	@echo "building the program and the demo"
	@started=$$(date +%s) && $(MAKE) --no-print-directory build && \
		dotnet build tests/LazySnapshotter.Demo --configuration Release --nologo --verbosity minimal && \
		LAZYSNAP_DEMO_BUILD_SECONDS=$$(($$(date +%s) - started)) LAZYSNAP_PROGRAM=$(PROGRAM) \
		dotnet run --project tests/LazySnapshotter.Demo --configuration Release --no-build -- $(ARGS)

bench: deps images build
	.ci/deps bench
	LAZYSNAP_PROGRAM=$(PROGRAM) dotnet run --project tests/LazySnapshotter.Benchmarks --configuration Release -- $(ARGS)

fuzz: deps
	$(if $(findstring --guided,$(ARGS)),.ci/deps fuzz)
	dotnet run --project tests/LazySnapshotter.Fuzz --configuration Release -- $(ARGS)

# The order is by speed: what fails often fails first.
odd-images: deps build
	LAZYSNAP_PROGRAM=$(PROGRAM) dotnet run --project tests/LazySnapshotter.OddImages --configuration Release -- $(ARGS)

check: deps
	python3 .ci/check_architecture.py
	dotnet build LazySnapshotter.sln --nologo --verbosity quiet -warnaserror
	dotnet format LazySnapshotter.sln --no-restore --verify-no-changes --severity warn

fmt: deps
	dotnet format LazySnapshotter.sln --severity warn

# Versions that ran on a JIT were a folder of files, and a link to one of them.
install: build
	install -D --mode 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/lazysnap
	rm -rf $(DESTDIR)$(PREFIX)/lib/lazysnapshotter
	install -d $(DESTDIR)$(SYSTEMD)
	sed 's|@PREFIX@|$(PREFIX)|g' systemd/lazysnap.service > $(DESTDIR)$(SYSTEMD)/lazysnap.service
	chmod 644 $(DESTDIR)$(SYSTEMD)/lazysnap.service
	@echo
	@echo "Installed. containerd's configuration was not touched; it needs this (/etc/containerd/config.toml):"
	@echo
	@sed 's/^/    /' systemd/containerd-snippet.toml
	@echo
	@echo "then: systemctl daemon-reload && systemctl enable --now lazysnap && systemctl restart containerd"

uninstall:
	rm -f $(DESTDIR)$(SYSTEMD)/lazysnap.service $(DESTDIR)$(PREFIX)/bin/lazysnap
	rm -rf $(DESTDIR)$(PREFIX)/lib/lazysnapshotter

# The images and fetched containerds stay: they take minutes to get. `rm -r artifacts` removes them as well.
clean:
	rm -rf out artifacts/symbols artifacts/test-results artifacts/matrix-results
	find src tests -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +
