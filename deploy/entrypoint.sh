#!/bin/sh
# One process by its name in the Procfile (web, scheduler, capture …), or a command of manage.py (migrate, backup …).
set -eu
cd /opt/vantage
if [ -n "${VANTAGE_KEYS_FROM:-}" ]; then  # a mounted secret is readable by its group, which production refuses
  (umask 077 && cp -- "$VANTAGE_KEYS_FROM" "$VANTAGE_KEY_FILE")
fi
name=${1:?"say what to run: a process of the Procfile, or a command of manage.py"}
command=$(sed -n "s/^$name: //p" Procfile)
if [ -n "$command" ]; then
  shift
  exec sh -c "exec $command \"\$@\"" "$name" "$@"
fi
exec python manage.py "$@"
