"""What a script has measured that a debugger ran: it prints a row "bench: WHAT<TAB>VALUE<TAB>GOAL" each,
and END last. Debuggers end with status 0 where a script of theirs has failed."""

import sys

START = "bench: "
END = "bench: end"


def rows_of(text):
    """The rows in what a debugger printed; ends the bench where its script has not come to its end."""
    lines = text.splitlines()
    rows = [line[len(START) :] for line in lines if line.startswith(START) and line != END]
    if END not in lines or not rows:
        sys.exit("the script in the debugger has not come to its end: " + text)
    return rows
