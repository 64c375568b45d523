"""What a terminal of the type `linux` shows: as much of its control sequences as curses uses."""

import re
import unicodedata

_SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([@-~])|\x1b[()].|\x1b[=>78M]|\x1b\][^\x07]*\x07")


class Screen:
    """Lines of characters."""

    def __init__(self, lines, columns):
        self.size = lines, columns
        self._cells = [[" "] * columns for _ in range(lines)]
        self._line = self._column = 0
        self._rest = ""

    @property
    def lines(self):
        return ["".join(cells).rstrip() for cells in self._cells]

    def feed(self, text):
        """Takes what a program writes."""
        text, self._rest = self._rest + text, ""
        place = 0
        while place < len(text):
            character = text[place]
            if character == "\x1b":
                match = _SEQUENCE.match(text, place)
                if match is None:
                    self._rest = text[place:]
                    return
                place = match.end()
                if match.group(2):
                    self._control(match.group(1), match.group(2))
                continue
            place += 1
            if character == "\r":
                self._column = 0
            elif character == "\n":
                self._line = min(self._line + 1, self.size[0] - 1)
            elif character == "\b":
                self._column = max(0, self._column - 1)
            elif unicodedata.category(character) != "Cc":
                self._write(character)

    def _write(self, character):
        if self._column >= self.size[1]:
            self._line, self._column = min(self._line + 1, self.size[0] - 1), 0
        self._cells[self._line][self._column] = character
        self._column += 1

    def _control(self, numbers, letter):
        given = [int(number) if number.isdigit() else 0 for number in numbers.split(";")]
        first = given[0] or 1
        cells = self._cells[self._line]
        lines, columns = self.size
        if letter == "H":
            self._line = min(first, lines) - 1
            self._column = min(given[1] if len(given) > 1 and given[1] else 1, columns) - 1
        elif letter == "d":
            self._line = min(first, lines) - 1
        elif letter == "G":
            self._column = min(first, columns) - 1
        elif letter in "ABCD":
            down, right = {"A": (-1, 0), "B": (1, 0), "C": (0, 1), "D": (0, -1)}[letter]
            self._line = max(0, min(lines - 1, self._line + down * first))
            self._column = max(0, min(columns - 1, self._column + right * first))
        elif letter == "X":
            cells[self._column : self._column + first] = [" "] * len(cells[self._column : self._column + first])
        elif letter == "P":
            del cells[self._column : self._column + first]
            cells += [" "] * (columns - len(cells))
        elif letter == "@":
            cells[self._column : self._column] = [" "] * first
            del cells[columns:]
        elif letter == "K":
            begin, end = {0: (self._column, columns), 1: (0, self._column + 1), 2: (0, columns)}[given[0]]
            cells[begin:end] = [" "] * (end - begin)
        elif letter == "J":
            if given[0] != 0:
                self._cells = [[" "] * columns for _ in range(lines)]
                return
            cells[self._column :] = [" "] * (columns - self._column)
            for line in range(self._line + 1, lines):
                self._cells[line] = [" "] * columns
        elif letter == "L":
            self._cells[self._line : self._line] = [[" "] * columns for _ in range(first)]
            del self._cells[lines:]
        elif letter == "M":
            del self._cells[self._line : self._line + first]
            self._cells += [[" "] * columns for _ in range(lines - len(self._cells))]
