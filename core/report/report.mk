# The page of reports. npm is wanted for it, and for nothing else that is built.

REPORT := $(BUILD)/report.html
REPORT_SOURCES := $(wildcard core/report/src/* core/report/src/style/*) $(addprefix core/report/,build.sh build.mjs package-lock.json)
# npm's own list of what it has installed: what the page is built with, and what its tests and its
# linter need beside.
REPORT_TOOLS := $(BUILD)/report-tools/node_modules/.package-lock.json

.PHONY: report
report: ## build the page that shows a snapshot in a browser (needs npm)
	@core/report/build.sh $(BUILD)

$(REPORT): $(REPORT_SOURCES)
	@core/report/build.sh $(BUILD) --if-possible

$(REPORT_TOOLS): core/report/package-lock.json
	@mkdir -p $(BUILD)/report-tools
	cp core/report/package.json core/report/package-lock.json core/report/.npmrc $(BUILD)/report-tools
	cd $(BUILD)/report-tools && npm ci --loglevel=error
	@touch $@

# Where the modules are is not beside the sources.
.PHONY: lint-report
lint-report: $(REPORT_TOOLS)
	node core/report/check.mjs $(BUILD)/report-tools
