"""Editors and a terminal multiplexer: emacs, vim and tmux."""

import os

from .traced import Shown, at_exit, attached, both, expect, run

EMACS = """\
(require 'json)
(require 'cl-lib)
(defun words (turn)
  (cl-loop for i below {words} collect (format "word%d" (% (* i 7919 turn) 10007))))
(dotimes (turn 20)
  (with-temp-buffer
    (dolist (word (words (1+ turn))) (insert word "\\n"))
    (sort-lines nil (point-min) (point-max))
    (delete-duplicate-lines (point-min) (point-max))
    (goto-char (point-min))
    (while (re-search-forward "word\\\\([0-9]+\\\\)7$" nil t) (replace-match "<\\\\1>"))
    (upcase-region (point-min) (/ (point-max) 2))
    (undo-boundary)
    (message "%d %s" turn (secure-hash 'sha256 (current-buffer)))))
(let ((table (make-hash-table :test 'equal)))
  (dolist (word (words 3)) (puthash word (1+ (gethash word table 0)) table))
  (message "%s" (secure-hash 'sha256 (json-encode (sort (hash-table-keys table) #'string<)))))
(garbage-collect)
(with-temp-file "made.el"
  (insert ";;; -*- lexical-binding: t -*-\\n")
  (dotimes (i 300) (insert (format "(defun made-%d (x) (mapcar (lambda (y) (* x y %d)) '(1 2)))\\n" i i))))
(byte-compile-file "made.el")
(load (expand-file-name "made.elc") nil t)
(message "%S" (made-299 2))
(with-temp-buffer
  (call-process "sh" nil t nil "-c" "echo from a shell; exit 3")
  (message "%s" (buffer-string)))
"""

VIM = """\
function! Words(turn)
  return map(range({words}), {{i -> 'word' . (i * 7919 * a:turn % 10007)}})
endfunction
for turn in range(1, 20)
  enew!
  call setline(1, Words(turn))
  silent sort u
  silent %s/word\\(\\d\\+\\)7$/<\\1>/e
  silent g/9/m0
  normal! ggVGgU
  call writefile([turn . ' ' . sha256(join(getline(1, '$'), "\\n"))], 'said', 'a')
endfor
let counts = {{}}
for word in Words(3)
  let counts[word] = get(counts, word, 0) + 1
endfor
call writefile([sha256(json_encode(sort(items(counts)))), system('echo from a shell')], 'said', 'a')
syntax on
set filetype=c
qall!
"""


#: Fills a pane, tells when it is done, and stays.
PANE = """\
i=0; while [ $i -lt {lines} ]; do i=$((i+1)); printf '\\033[3%dmline %d of {window}\\033[0m\\n' $((i%8)) $i; done
tmux -S {path} wait-for -S {channel}; exec cat
"""


def emacs(directory, scale):
    """Buffers that are sorted, searched and hashed, byte-compilation, a subprocess."""
    with open(os.path.join(directory, "work.el"), "w", encoding="utf-8") as file:
        file.write(EMACS.format(words=1000 * scale))
    command = ["emacs", "-batch", "-Q", "-l", "work.el"]
    said = both(command, directory)
    expect(b"\n(598 1196)\n" in said and b"from a shell" in said, said[-500:])
    blocks, size = at_exit(command, directory)
    return Shown(
        "emacs -batch, 20 x {} lines".format(1000 * scale),
        blocks,
        size,
        "what it says is as without the hooks",
    )


def vim(directory, scale):
    """Lines that are sorted, substituted, moved, undone; dictionaries, JSON, a subprocess."""
    with open(os.path.join(directory, "work.vim"), "w", encoding="utf-8") as file:
        file.write(VIM.format(words=1000 * scale))
    path = os.path.join(directory, "said")
    command = ["vim", "-u", "NONE", "-i", "NONE", "-n", "-es", "-S", "work.vim"]

    def said():
        with open(path, "rb") as file:
            text = file.read()
        os.remove(path)
        return text

    text = both(command, directory, result=said)
    expect(text.count(b"\n") == 22 and b"from a shell" in text, text[-500:])
    blocks, size = at_exit(command, directory)
    return Shown(
        "vim -es, 20 x {} lines".format(1000 * scale),
        blocks,
        size,
        "what it writes is as without the hooks",
    )


def tmux(directory, scale):
    """A server with windows and panes, shells that write into them, and clients."""
    windows = 2 * scale
    said = []
    for traced in (False, True):
        path = os.path.join(directory, "traced" if traced else "plain")

        def client(*words, path=path, traced=traced):
            return run(["tmux", "-f", "/dev/null", "-S", path] + list(words), traced, directory)

        # The client becomes the server, and is back when there is a session.
        client("new-session", "-d", "-x", "100", "-y", "50", "exec cat")
        answers = []
        try:
            client("set-option", "-g", "history-limit", "20000")
            # It goes by the time.
            client("set-option", "-g", "automatic-rename", "off")
            client("rename-window", "-t", ":0", "first")
            for window in range(windows):
                channel = "done%d" % window
                write = PANE.format(window=window, lines=500 * scale, path=path, channel=channel)
                client("new-window", "-d", "-n", "window%d" % window, write)
                client("split-window", "-d", "-t", ":%d" % (window + 1), "exec cat")
                client("wait-for", channel)
                client("set-buffer", "-b", channel, "text %d " % window * 100)
                client("paste-buffer", "-b", channel, "-t", ":%d.1" % (window + 1))
                capture = ["capture-pane", "-p", "-e", "-S", "-", "-t", ":%d.0" % (window + 1)]
                last = b"line %d of %d\n" % (500 * scale, window)
                # The shell was through, the server need not have read all of it.
                shown = (client(*capture) for _ in range(10000))
                answers.append(next((text for text in shown if last in text), b""))
            for window in range(0, windows, 2):
                client("kill-pane", "-t", ":%d.1" % (window + 1))
                client("resize-window", "-t", ":%d" % (window + 1), "-x", str(40 + window), "-y", "20")
            form = "#{window_name} #{window_panes} #{window_layout} #{history_size}"
            answers.append(client("list-windows", "-F", form))
            answers.append(client("list-buffers"))
            if traced:
                server = int(client("display-message", "-p", "#{pid}"))
                blocks, size = attached(server, directory)
        finally:
            client("kill-server")
        said.append(answers)
    for plain, answer in zip(*said):
        expect(plain == answer, "tmux says", answer[-500:], "and without the hooks", plain[-500:])
    expect(all(b"line 1 " in answer for answer in said[1][:windows]), said[1][0][:500])
    return Shown(
        "tmux, {} windows".format(windows),
        blocks,
        size,
        "{} panes and the lists as without the hooks".format(windows),
    )
