# The page of reports. npm is wanted for it, and for nothing else.

REPORT := $(BUILD)/report.html
REPORT_SOURCES := $(wildcard core/report/src/*) $(addprefix core/report/,build.mjs package.json package-lock.json)

.PHONY: report
report: ## build the page that shows a snapshot in a browser (needs npm)
	@core/report/build.sh $(BUILD)

$(REPORT): $(REPORT_SOURCES)
	@core/report/build.sh $(BUILD) --if-possible
