# Everything on a fresh machine with Python and nothing else:
#   make demo    fit a generator, blend it in, see whether it helped   (runs/demo/index.html)
#   make test    the tests
#   make quick   formatting, lint, types, import floors, and the half of the tests that takes six minutes
#   make check   formatting, lint, types, import floors, and the tests
#   make docs    the documentation as a site, with its gallery  (build/site/index.html)
#   make bench   the benchmarks of speed, recorded in benchmarks/results/ (half an hour); on a GPU if there is one
#   make bench-quality   those of what the samples are worth (hours)

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_OPTIONS)
# two processes of one thread each: more get in each other's way on a small machine
TESTS := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

# what makes a loop wait, and what the samples are worth
SPEED := startup plan loader collate text recorded_text transforms inference pool share device sweep audio_loader
QUALITY := distill flags audio segmentation faithfulness generators restoration photos vary baselines perplexity text_faithfulness text_uplift uplift tune

.PHONY: demo test quick check lint docs bench bench-quality clean

demo: $(VENV)/.demo
	$(BIN)/augsynth demo

test: $(VENV)/.dev
	$(TESTS)

check: lint test

quick: lint
	$(TESTS) -m "not slow"

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.dev
	$(BIN)/python docs/_site/gallery.py
	$(BIN)/mkdocs build

bench: $(VENV)/.dev
	$(PIP) -e '.[bench]'
	for name in $(SPEED); do $(BIN)/python benchmarks/bench_$$name.py || exit 1; done

bench-quality: $(VENV)/.dev
	for name in $(QUALITY); do $(BIN)/python benchmarks/bench_$$name.py || exit 1; done
	$(BIN)/python benchmarks/bench_perplexity.py --data ag_news --test 100
	$(BIN)/python benchmarks/bench_text_faithfulness.py --data ag_news

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing augsynth into $(VENV) ..."
	$(PIP) -e '.[report]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt plugins/template/pyproject.toml $(wildcard examples/plugins/*/pyproject.toml) | $(BIN)/python
	@echo "installing augsynth and what its tests need into $(VENV) ..."
	$(PIP) -e '.[dev]' -e plugins/template $(addprefix -e ,$(wildcard examples/plugins/*))
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) runs build dist
