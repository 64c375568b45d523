# Installing, and Debian packages. The paths reach the scripts in the environment, where blanks
# and quotes in them mean nothing.

PREFIX ?= /usr/local
DESTDIR ?=
# lib, lib64 or lib/TRIPLET below PREFIX; empty: lib
LIBDIR ?=

MAN_PAGES := $(wildcard docs/man/*.[17])
# To be read and checked here; an installation has its own paths in them.
READ_PAGES := $(patsubst docs/%,$(BUILD)/%,$(MAN_PAGES))

install uninstall: export PREFIX := $(PREFIX)
install uninstall: export DESTDIR := $(DESTDIR)
install uninstall: export LIBDIR := $(LIBDIR)
install uninstall deb: export BUILD := $(BUILD)
install uninstall deb: export VERSION := $(VERSION)
install uninstall deb: export SONAME := $(SONAME)
install uninstall deb: export PYTHON := $(PYTHON)

.PHONY: install
install: all ## install into PREFIX (/usr/local), below DESTDIR
	@core/install/install.sh install

.PHONY: uninstall
uninstall: ## remove what install has put there
	@core/install/install.sh uninstall

.PHONY: deb
deb: ## set up, build, and make Debian packages in build/deb/
	@tests/deps.sh run
	@tests/deps.sh deb
	@$(MAKE) --no-print-directory all
	@core/install/deb.sh

.PHONY: man
man: $(READ_PAGES) ## make the manual pages in build/man/

$(READ_PAGES): $(BUILD)/man/%: docs/man/% $(LIBRARY) $(wildcard core/install/*.py core/python/allocsnap/*.py core/python/allocsnap/*/*.py)
	@mkdir -p $(@D)
	@ALLOCSNAP_LIBRARY=$(LIBRARY) VERSION=$(VERSION) LIBDIR=/usr/local/lib SHAREDIR=/usr/local/share/allocsnap \
		$(PYTHON) -B core/install/fill.py $< >$@.new
	@mv $@.new $@

.PHONY: lint-man
lint-man: $(READ_PAGES)
	mandoc -Tlint -Wwarning $^
