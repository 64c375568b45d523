"""`allocsnap`, the command line: the commands on a core file, a process of this host, or the files of
dumps, without a debugger."""
