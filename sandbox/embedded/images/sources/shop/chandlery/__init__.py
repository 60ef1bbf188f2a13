"""What all apps of the shop share: server, switches, health, metrics.

The apps run with `python3 -I -S` under small memory limits, so these modules use the interpreter's built-in
modules (`_socket`, `_thread`, `_signal`) instead of their comfortable wrappers: importing `socket`, `threading`,
`signal`, `json` and `http.server` doubles the resident memory (8.4 -> 18.6 MiB, measured) and, without
compiled files on a read-only disk, costs 0.1 s of CPU at every start.
"""
