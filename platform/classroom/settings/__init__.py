"""Settings by place: `embedded` for `manage.py up`, `testing` for pytest; both stand on `base`."""
