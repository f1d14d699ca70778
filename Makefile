# make demo        a broken database to practise on; sets up all it needs
# make demo UI=plain   the same with nobody present, answers from demo/answers.txt
# make test        sets up all it needs and runs every test there is
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

MAJORS   := 13 15 17 18
PG_MAJOR ?= 15
UI       ?= auto
ANSWERS  ?= demo/answers.txt
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
FUZZTIME ?= 20s
# Two packages at a time: most tests wait for containers, and those want the cores.
GOTEST   := go test -p 2 -timeout 30m

.PHONY: all build engine images $(MAJORS:%=image-%) test-deps demo test check lint bench fuzz clean
.DEFAULT_GOAL := build

all: build

# The binary is static: it runs inside an otherwise empty image.
build:
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o pgrescue .

engine:
	hack/docker-up.sh

images: $(MAJORS:%=image-%)

$(MAJORS:%=image-%): image-%: engine
	hack/image.sh $*

test-deps:
	hack/test-deps.sh

demo: engine
	hack/image.sh $(PG_MAJOR)
	$(MAKE) build
	./pgrescue demo --major $(PG_MAJOR) --ui $(UI) $(if $(filter plain,$(UI)),--answers $(ANSWERS))

# Everything the tests need, then lint, then the tests.
test:
	hack/test-deps.sh
	$(MAKE) -j2 images
	$(MAKE) build
	$(MAKE) lint
	$(MAKE) check

# The tests alone, on a machine that is set up. testsum decides the exit status:
# it sees failed, broken and unfinished packages in the stream.
check:
	@go build -o "$${TMPDIR:-/tmp}/pgrescue-testsum" ./hack/testsum
	{ $(GOTEST) -race -count=1 -json ./... || true; } | "$${TMPDIR:-/tmp}/pgrescue-testsum"

lint:
	hack/lint.sh

# Peers run beside us: pg_checksums and pg_waldump of the image, cp, tar, zstd, pg_filedump.
bench: engine
	hack/bench-deps.sh
	$(MAKE) image-15 image-17 image-18
	go test -p 1 -timeout 60m -run '^$$' -bench . -benchmem ./...

fuzz:
	hack/fuzz.sh $(FUZZTIME)

clean:
	rm -rf pgrescue dist completions man
