"""Backup and restore: the database, the list of media with their hashes, the head of the audit chain.

An archive is one tar file, mode 0600:

| member | what |
| --- | --- |
| `manifest.json` | when, versions, rows per table, audit head, hashes of all other members |
| `manifest.mac` | keyed hash of the manifest (`key id:hex`), by the key file |
| `database.dump` | pg_dump's custom form, of the snapshot that the manifest counts |
| `files.jsonl.gz` | one line per stored file: root, path, size, SHA-256 |
| `media/…`, `packages/…` | the files themselves, only with `--with-media` |
| `keys` | the key file, only with `--with-keys` |
"""
