# `go test ./...` is the test command; `make check` is the rest of what must hold.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME   ?= 10s

.PHONY: check format vet staticcheck layering race fuzz cross long memory stress backends gradients recovery kill arm64 published compare bench

check: format vet staticcheck layering race fuzz cross

format:
	@bad=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$bad" || { echo "gofmt would change: $$bad"; exit 1; }

vet:
	go vet ./...

staticcheck:
	go run $(STATICCHECK) ./...

# Imports point towards the ground only.
layering:
	go test -run TestLayers ./internal/layers

race:
	go test -race -short ./...

fuzz:
	go test -run '^$$' -fuzz FuzzParse -fuzztime $(FUZZTIME) -fuzzminimizetime 5x ./parser
	go test -run '^$$' -fuzz FuzzRead -fuzztime $(FUZZTIME) -fuzzminimizetime 5x ./runtime/trace/safetensors
	go test -run '^$$' -fuzz FuzzCompile -fuzztime $(FUZZTIME) -fuzzminimizetime 5x ./stdlib/eval

# The core everywhere; the prompt and figures where there is a terminal and a file system.
cross:
	GOOS=linux   GOARCH=arm64 go build -o /dev/null ./cmd/udl
	GOOS=windows GOARCH=amd64 go build -o /dev/null ./cmd/udl
	GOOS=darwin  GOARCH=arm64 go build -o /dev/null ./cmd/udl
	GOOS=js      GOARCH=wasm  go build ./ ./lang/... ./parser ./compiler/... ./runtime/... ./stdlib/...

# What takes longer than a commit should wait for: ten minutes of fuzzing each of parser and compiler.
# Last run on 2026-11-24: no finding (6.3 and 3.6 million executions).
long:
	$(MAKE) fuzz FUZZTIME=10m

# Gradients of a million steps in 64 MB, of five models, and of shorter ones in memory of all sizes: two minutes. Last run on 2026-11-27: 1.0 to 2.1 times the time of
# steps that are kept; 11,356 gradients, all the same to the bit.
memory:
	UDL_LONG=1 go test -run 'LongGradient|OfAnySize' -v -timeout 1h ./compiler

# A minute of 16 goroutines under a restless collector, and 100,000 models compiled and dropped: some four minutes. Last run on 2026-11-26.
stress:
	UDL_STRESS=60s UDL_MODELS=100000 go test -run 'Stress|Stops|ManyModels' -v -timeout 1h . ./compiler/code/native

# A million random graphs on every back end: some ten minutes. Last run on 2026-11-26.
backends:
	go test -run BackendsAgree -v -timeout 2h ./compiler/code -graphs 1000000

# A training of several phases killed fifty times at random moments, many while it writes its state: half a minute. Last run on 2026-11-27: every resume ended at the same bits
# (21 kills while a file was written).
kill:
	go test -run TestKilled -v ./cmd/udl -kills 50

# Gradients of every model of the gallery by every solver, all methods against each other: four minutes of one core. Last run on 2026-11-27: 817 pairs, the worst 3.0e-7
# of the largest component (robertson.Robertson by KenCarp4). UDL_GRADIENTS=swing takes some.
gradients:
	UDL_GRADIENTS=all go test -run GradientsAgree -v -timeout 2h ./models

# The core on another architecture, emulated; needs qemu-user.
arm64:
	GOARCH=arm64 go test -exec qemu-aarch64 -short . ./compiler/... ./runtime/... ./stdlib/...

# Trainings on published data, which are not ours to ship: FOLDER holds Theoph.csv, Theoph_SSfol_fits.csv and a folder ude_paper. Last run on 2026-11-27.
published:
	UDL_PUBLISHED=$(abspath $(FOLDER)) go test -run TestPublished -count=1 -v ./models

# Against C, needs gcc; writes docs/benchmarks.md.
compare:
	go run ./internal/bench -write

bench:
	go test -run '^$$' -bench . -benchmem ./...

# The recovery of the paper's equations from noisy data: 500 trainings and discoveries, 156 s of one core. Last run on 2026-11-27:
# 100, 100, 100, 98 and 78 of 100 at 0.1, 0.5, 1, 2.5 and 5 % noise (the paper: 75, 72, 58, 29 and 18)
recovery:
	go run ./cmd/udl run --quiet --set seeds=100 --set paper=1 models/recovery_loop.udl
