from __future__ import annotations

from authoring.command import main

main()
