"""Prints what completes `allocsnap` in a shell: `completions.py bash` or `zsh`, made of the table of
commands."""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(_HERE), "python"))

# pylint: disable=wrong-import-position
from allocsnap.command_line import invocation  # noqa: E402
from allocsnap.command_line.main import NoProgram  # noqa: E402
from allocsnap.commands import FILES  # noqa: E402
from allocsnap.kept import FRESH  # noqa: E402
from allocsnap.library import native  # noqa: E402
from allocsnap.session import Session  # noqa: E402

#: In place of words: the names of files, numbers of processes.
_FILES, _PROCESSES = "@files", "@processes"

# The same in both shells: sets `answer`, by the words before the one to be completed.
_CHOOSE = """\
_allocsnap_choose() {{
    local word command="" value=""
    answer=
    for word in "$@"; do
        if [ -n "$value" ]; then
            value=
            continue
        fi
        case $command:$word in
{values}
        esac
        if [ -n "$value" ] || [ -n "$command" ]; then continue; fi
        case $word in
        {commands}) command=$word ;;
        esac
    done
    if [ -n "$value" ]; then
        answer=$value
        return
    fi
    case $command in
{answers}
    esac
}}
"""

_BASH = """\
# Completes allocsnap in bash.
{choose}
_allocsnap() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} answer words
    _allocsnap_choose "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"
    words=${{answer//@files/}}
    words=${{words//@none/}}
    if [[ $answer == *@processes* ]]; then words="${{words//@processes/}} $(cd /proc && echo [0-9]*)"; fi
    # shellcheck disable=SC2207 # no word has blanks
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [[ $answer == *@files* && $current != -* ]]; then
        local file
        while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$current")
        compopt -o filenames 2>/dev/null
    fi
    return 0
}}
complete -F _allocsnap allocsnap
"""

_ZSH = """\
#compdef allocsnap
# Completes allocsnap in zsh.
{choose}
_allocsnap() {{
    local answer
    local -a offered
    _allocsnap_choose "${{(@)words[2,CURRENT-1]}}"
    offered=(${{=answer}})
    offered=(${{offered:#@*}})
    if [[ $answer == *@processes* ]]; then offered+=(/proc/[0-9]*(N:t)); fi
    (( $#offered )) && compadd -- $offered
    if [[ $answer == *@files* ]]; then _files; fi
    return 0
}}
if [ "${{funcstack[1]-}}" = _allocsnap ]; then _allocsnap "$@"; else compdef _allocsnap allocsnap; fi
"""


def _options(parser):
    return [name for action in parser.actions() for name in action.option_strings]


def _positional(session, command):
    """The words that may stand at a command's positions, or file names."""
    if command.name in invocation.OWN:
        words = command.words()
        return [_FILES] if words is None else words
    words = command.words(session, [])
    found = [] if words is FILES else [word for word in words if word not in FRESH or command.name != "status"]
    return found + ([_FILES] if words is FILES or command.takes_files else [])


def _values(session, command, option):
    """What may follow an option: words, or file names."""
    if command.name in invocation.OWN:
        return command.values(option)
    return command.values(session, option)


def _tables():
    """(lines of what takes a value, lines of what comes next)."""
    session = Session(NoProgram())
    values, answers = [], []
    for option, kind in invocation.VALUES.items():
        value = {"file": _FILES, "process": _PROCESSES}.get(kind, "@none")
        values.append("        :{}) value='{}' ;;".format(option, value))
    for word, command in {**invocation.HERE, **invocation.OWN}.items():
        parser = command.parser
        for name in _options(parser):
            if parser.takes_value(name):
                words = " ".join(_values(session, command, name)) or "@none"
                values.append("        {}:{}) value='{}' ;;".format(word, name, words))
        offered = _options(parser) + _positional(session, command)
        answers.append("    {}) answer='{}' ;;".format(word, " ".join(offered)))
    own = list(invocation.HERE) + list(invocation.OWN) + list(invocation.OPTIONS) + [_FILES]
    answers.append("    *) answer='{}' ;;".format(" ".join(own)))
    return values, answers


def completions(shell):
    """The script for a shell."""
    native.library()  # without it there are no keys: say what is wrong
    values, answers = _tables()
    choose = _CHOOSE.format(
        values="\n".join(values), answers="\n".join(answers), commands="|".join([*invocation.HERE, *invocation.OWN])
    )
    return {"bash": _BASH, "zsh": _ZSH}[shell].format(choose=choose)


if __name__ == "__main__":
    sys.stdout.write(completions(sys.argv[1]))
