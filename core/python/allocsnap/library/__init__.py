"""The binding of liballocsnap.so: its functions, its structures, its objects."""
