"""Where the libraries are, liballocsnap.so and the hooks that a program loads; and the page of
reports."""

import os
import sys

from ..errors import AllocsnapError, ErrorCode

LIBRARY_NAME = "liballocsnap.so"
# Its name where it is installed (DT_SONAME): the other may be left to compilers' packages.
INSTALLED_NAME = LIBRARY_NAME + ".0"
HOOKS_NAME = "liballocsnap-hooks.so"
REPORT_NAME = "report.html"


def _package_places():
    """The package, and the root of the checkout or of what is installed for all machines."""
    # The real one: Python may have come by a link among its own packages.
    package = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    return package, os.path.normpath(os.path.join(package, "..", "..", ".."))


def _library_places():
    """Where liballocsnap.so may be: beside the package, in a checkout's build/,
    in the library directory of the prefix it is installed in."""
    package, root = _package_places()
    yield os.path.join(package, LIBRARY_NAME)
    yield os.path.join(root, "build", LIBRARY_NAME)
    prefix, share = os.path.split(os.path.dirname(root))
    if share == "share":
        # What Debian calls the machine, such as x86_64-linux-gnu.
        triplet = getattr(sys.implementation, "_multiarch", "")
        for directory in ("lib", "lib64", os.path.join("lib", triplet)):
            yield os.path.join(prefix, directory, INSTALLED_NAME)


def library_path():
    """The path of liballocsnap.so: $ALLOCSNAP_LIBRARY, else the first there is."""
    chosen = os.environ.get("ALLOCSNAP_LIBRARY")
    if chosen:
        return os.path.abspath(chosen)
    for place in _library_places():
        if os.path.isfile(place):
            return os.path.normpath(place)
    raise AllocsnapError(
        "{} was not found: build it with `make`, or set ALLOCSNAP_LIBRARY to its path".format(
            LIBRARY_NAME
        ),
        ErrorCode.IO,
    )


def hooks_path():
    """The path of the hooks library: $ALLOCSNAP_HOOKS, else beside liballocsnap.so."""
    chosen = os.environ.get("ALLOCSNAP_HOOKS")
    if chosen:
        path = os.path.abspath(chosen)
    else:
        path = os.path.join(os.path.dirname(library_path()), HOOKS_NAME)
    if not os.path.isfile(path):
        raise AllocsnapError(
            "there is no hooks library at {}: build it with `make`, or set ALLOCSNAP_HOOKS"
            " to the path of {}".format(path, HOOKS_NAME),
            ErrorCode.IO,
        )
    return path


def script_path(debugger):
    """The path of what a debugger of this name is to read."""
    return os.path.join(_package_places()[1], debugger, "allocsnap_{}.py".format(debugger))


def report_page_path():
    """The path of the page that a report is made of."""
    places = [
        os.path.join(os.path.dirname(library_path()), REPORT_NAME),
        os.path.join(_package_places()[1], REPORT_NAME),
    ]
    for place in places:
        if os.path.isfile(place):
            return place
    raise AllocsnapError(
        "no report can be written: its page was not built, as npm was missing; install npm, then `make"
        " report` makes {}".format(places[0]),
        ErrorCode.IO,
    )
