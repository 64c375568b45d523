"""What conditions of breakpoints ask for: functions of expressions, and places by number."""

from typing import Callable, NamedTuple

from ..errors import AllocsnapError
from ..printable import printable
from .command import Command


class Function(NamedTuple):
    """A convenience function for expressions, as in a breakpoint's condition. It takes
    a place, its number or FILE:LINE or FILE, or nothing."""

    name: str
    help: str
    of: Callable[[int, int], int]  # of bytes and blocks

    def check(self, places):
        """Fails where these are not the arguments that it takes: one place, by its number or
        text, or none."""
        if len(places) > 1 or None in places:
            raise AllocsnapError(
                "${0} takes a place as a string, or by the number that `snapshot place`"
                ' gives it: ${0}("file.c:12"), ${0}(1)'.format(self.name)
            )

    def exceeds(self, script, above, place, measure):
        """Whether it is above a number, for a breakpoint of LLDB's, which hands over texts;
        None: an argument is not there. `measure` is of the Shell."""
        if not (above or "").isdecimal():
            raise AllocsnapError(
                "{0} stops above a number: breakpoint command add -F {1}.{0} -k above"
                " -v 100000000".format(self.name, script)
            )
        if place is not None and place.isdecimal():
            place = int(place)
        return measure(self, *[] if place is None else [place]) > int(above)


_FUNCTION_HELP = """{0} now.

{1}([PLACE]): of all traced blocks, or of those of a line or file:
the number that `snapshot place FILE:LINE` has given it, or "FILE:LINE" or
"FILE" itself. For conditions:
  break handle_request if {1}() > 100000000"""

#: Every convenience function.
FUNCTIONS = (
    Function(
        "snapshot_size",
        _FUNCTION_HELP.format("The bytes in live traced blocks", "$snapshot_size"),
        lambda size, _count: size,
    ),
    Function(
        "snapshot_count",
        _FUNCTION_HELP.format("The number of live traced blocks", "$snapshot_count"),
        lambda _size, count: count,
    ),
)


class Place(Command):
    """place [PLACE]"""

    name = "place"
    of_sessions = True
    summary = "Give a place in the source a number, for conditions; or list those that have one."
    details = (
        "PLACE is FILE:LINE or FILE, which is a path or its last names. A number means\n"
        "the same in every language, and evaluating it touches nothing in the program.\n"
        "A place that has a number keeps it."
    )

    def arguments(self, parser):
        parser.add_argument(
            "place", metavar="PLACE", nargs="?", help="a line of the source, or a file of it"
        )

    def run(self, session, options):
        if options.place is not None:
            return _line(session.places.number_of(options.place), options.place)
        if not session.places:
            return "No places: `snapshot place FILE:LINE` gives one a number.\n"
        return "".join(_line(number, place) for number, place in enumerate(session.places, 1))


def _line(number, place):
    return "Place {}: {}\n".format(number, printable(place))
