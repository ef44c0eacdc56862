#!/bin/sh
# Serves the files of a directory on each of the ports: `responder.sh DIRECTORY PORT...`. Ends when one of the servers ends.
directory=$1
shift
trap 'exit 0' TERM
for port; do
	busybox httpd -f -v -p "$port" -h "$directory" &
done
if [ $# -eq 0 ]; then sleep infinity & fi
echo ready >&8
wait -n
