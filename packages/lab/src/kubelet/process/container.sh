#!/bin/sh
# Holds one container: `container.sh DIRECTORY PROGRAM ARGUMENT...`. It outlives the kubelet and leaves for it, in DIRECTORY,
# `alive`, a pipe that is open for writing as long as this process lives, `ready`, which the program writes to, and `exit`, its status.
cd "$1" || exit 1
shift
# Opened before it has its name: to a reader a pipe without a writer has ended.
mkfifo alive.new
exec 8>ready 9<>alive.new
mv alive.new alive
program=
asked=
trap 'asked=1; [ -z "$program" ] || kill -TERM "$program"' TERM
# The program does not get the pipe: its end must show even when what it started lives on.
"$@" 9<&- &
program=$!
[ -z "$asked" ] || kill -TERM "$program"
wait "$program"
status=$?
# A signal that was passed on interrupts the wait.
while kill -0 "$program" 2>/dev/null; do
	wait "$program"
	status=$?
done
echo "$status" >exit.new
mv exit.new exit
