# Every target does its own set-up; `make` alone lists them.
# All paths are relative, so that the checkout may lie in a folder with spaces.
LECTERN = @"$${PYTHON:-python3}" tools/make.py

.PHONY: help run test test-slow fuzz check bench bench-cluster bench-images cluster clusters cluster-down images lock clean

help:
	$(LECTERN) help

run: ## Start the hub with the example campus; ARGS go to `lectern up`
	$(LECTERN) run $(ARGS)

test: ## Run the tests; ARGS go to pytest
	$(LECTERN) test $(ARGS)

test-slow: ## Run the tests and those that take minutes
	$(LECTERN) test-slow $(ARGS)

fuzz: ## Look for files that the reader stumbles over; ARGS="--fuzz-seconds 3600"
	$(LECTERN) fuzz $(ARGS)

check: ## Style, types, import rules, sizes, profiles, known vulnerabilities
	$(LECTERN) check $(ARGS)

bench: ## Measure against plain JupyterHub
	$(LECTERN) bench $(ARGS)

bench-cluster: ## Measure the clusters that make cluster starts
	$(LECTERN) bench-cluster $(ARGS)

bench-images: ## Measure how images are built and how servers start from them
	$(LECTERN) bench-images $(ARGS)

cluster: ## Start a Kubernetes on this machine; ARGS="--help" says what it may have
	$(LECTERN) cluster $(ARGS)

clusters: ## Say which ones run
	$(LECTERN) clusters $(ARGS)

cluster-down: ## End that Kubernetes and leave nothing behind; ARGS=--all ends every one
	$(LECTERN) cluster-down $(ARGS)

images: ## Build the images of servers; ARGS="base --archive base.tar"
	$(LECTERN) images $(ARGS)

lock: ## Work out the pinned dependencies anew; ARGS=--upgrade takes newer ones
	$(LECTERN) lock $(ARGS)

clean: ## Remove the environments and caches; homes and state stay
	$(LECTERN) clean $(ARGS)
