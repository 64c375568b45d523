"""What the command line's own commands are, which debuggers do not have."""

from ..commands.grammar import Parser


class OwnCommand:
    """One of them. Derived classes give the texts, the arguments and `run`."""

    name = ""
    summary = ""  # one sentence
    details = ""
    takes_process = False  # whether -p may stand before it

    def __init__(self):
        self.parser = Parser(self.name, "\n\n".join(filter(None, (self.summary, self.details))))
        self.parser.prog = "allocsnap " + self.name
        self.parser.how_to_help = "allocsnap {} --help".format(self.name)
        self.arguments(self.parser)
        self.parser.add_common()

    def arguments(self, parser):
        """Declares the arguments."""

    def parse(self, words):
        """The arguments among the words behind the command."""
        return self.parser.parse_intermixed_args(words)

    def run(self, options, asked):
        """Carries it out; returns the exit status. `asked`: the Invocation, with what stands before
        the command."""
        raise NotImplementedError

    def words(self):
        """Words that may stand at its positions; None: the names of files."""
        return []

    def values(self, option):
        """What may follow an option that takes a value, for completion; "@files": the names of files."""
        return self.parser.values(option)

    @property
    def help(self):
        return self.parser.format_help()
