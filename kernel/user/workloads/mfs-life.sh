# mfs-life: how memory file systems of each way come and go. All of them mounted at
# once, written and read; busy ones that do not unmount, and do by force; unmounted under
# load; the process of a served one that is sent a signal; mounted and unmounted many times.
# In the end every counter of the kernel must be where it was.
#
# WAYS: which; CYCLES: how many times each is mounted and unmounted; ROUNDS: in so many
# rounds of all that at most a state must be reached in which the next leaves nothing behind.

fail()
{
	echo "mfs-life: $*" >&2
	exit 1
}

# Mounts a small file system of way $1 on $2.
mount_way()
{
	mount_mfs -s 512k -b 4096 -f 512 -o "$1" swap "$2" || fail "$1: cannot mount on $2"
}

# The process that serves what is mounted on $1, if one does.
server_of()
{
	server=$(mount | grep "^mfs:[0-9]* on $1 ")
	server=${server%% *}
	echo "${server#mfs:}"
}

is_mounted()
{
	mount | grep " on $1 " >/dev/null
}

# All ways at once; unmounted in another order than mounted.
several_at_once()
{
	later=
	for way in $WAYS
	do
		mkdir -p "/tmp/on/$way"
		mount_way "$way" "/tmp/on/$way"
	done
	for way in $WAYS
	do
		cp /bin/cat "/tmp/on/$way/file" || fail "$way: cannot write"
		echo "$way" >"/tmp/on/$way/name"
	done
	sync
	for way in $WAYS
	do
		cmp /bin/cat "/tmp/on/$way/file" || fail "$way: not what was written"
		[ "$(cat "/tmp/on/$way/name")" = "$way" ] || fail "$way: another's file"
		case $way in
		process|aobj|direct)	umount "/tmp/on/$way" || fail "$way: cannot unmount";;
		*)	later="$later $way";;
		esac
	done
	for way in $later
	do
		cmp /bin/cat "/tmp/on/$way/file" || fail "$way: not what was written when others are gone"
		umount "/tmp/on/$way" || fail "$way: cannot unmount"
	done
	echo "mfs-life: several at once: done"
}

# A file is open: unmounting says so, and takes the file away by force.
busy_unmount()
{
	mount_way "$1" /mnt
	echo "still here" >/mnt/open
	exec 3</mnt/open
	umount /mnt 2>/tmp/said && fail "$1: unmounted while busy"
	grep 'Device busy' /tmp/said >/dev/null || fail "$1: busy, but says '$(cat /tmp/said)'"
	[ "$(cat /mnt/open)" = "still here" ] || fail "$1: the file is gone before the file system"
	umount -f /mnt || fail "$1: not unmounted by force"
	cat <&3 >/tmp/read 2>/tmp/said && fail "$1: reads from what is gone"
	echo "mfs-life: $1: busy, then forced; reading from it: $(cat /tmp/read)$(cat /tmp/said)"
	exec 3<&-
}

# Writes, writes through and reads as long as the file system is there.
load()
{
	while [ -f /mnt/mark ] && cp /bin/cat /mnt/load && sync && cmp /bin/cat /mnt/load
	do
		:
	done
	rm -f /mnt/load
}

# While a process is at work: a signal to the server, then an unmount by force.
under_load()
{
	mount_way "$1" /mnt
	: >/mnt/mark
	load >/dev/null 2>&1 &
	sleep 0.1
	server=$(server_of /mnt)
	[ -z "$server" ] || kill "$server"
	umount -f /mnt 2>/dev/null
	is_mounted /mnt && fail "$1: not unmounted under load"
	wait
	[ -z "$(ls /mnt)" ] || fail "$1: left on the folder below: $(ls /mnt)"
	echo "mfs-life: $1: unmounted under load"
}

# Waits until what is said after it is so; a few seconds at most.
until_so()
{
	tries=0
	until "$@"
	do
		tries=$((tries + 1))
		[ $tries -lt 50 ] || return 1
		sleep 0.1
	done
}

no_process()
{
	! kill -0 "$1" 2>/dev/null
}

no_mount()
{
	! is_mounted "$1"
}

# A signal to the server unmounts; not when the file system is busy.
by_signal()
{
	mount_way "$1" /mnt
	server=$(server_of /mnt)
	[ -n "$server" ] || fail "$1: nobody serves it"
	echo hello >/mnt/file
	cd /mnt
	for signal in HUP TERM KILL
	do
		kill -$signal "$server"
		sleep 0.2
		is_mounted /mnt || fail "$1: a signal has unmounted it while it was busy"
		[ "$(cat file)" = hello ] || fail "$1: SIG$signal has damaged it"
	done
	cd /
	kill "$server"
	until_so no_mount /mnt || fail "$1: a signal does not unmount it"
	until_so no_process "$server" || fail "$1: its process is still there"
	echo "mfs-life: $1: a signal while busy keeps it, when idle unmounts it"
}

# Mounts way $1, uses it and unmounts it, $2 times.
cycles()
{
	n=0
	while [ $n -lt "$2" ]
	do
		mount_way "$1" /mnt
		cp /etc/rc /mnt/rc
		mkdir /mnt/folder
		mv /mnt/rc /mnt/folder/rc
		cmp /etc/rc /mnt/folder/rc || fail "$1: not what was written"
		umount /mnt || fail "$1: cannot unmount the ${n}th time"
		n=$((n + 1))
	done
}

# Everything that the kernel holds, to file $1.
holds()
{
	sync
	sysctl debug.inuse >"$1"
}

# The counters that differ in files /tmp/before and /tmp/after.
differences()
{
	exec 3</tmp/after
	while read -r name is before
	do
		read -r name is after <&3
		[ "$before" = "$after" ] || echo "${name#debug.inuse.} was $before and is $after"
	done </tmp/before
	exec 3<&-
}

one_round()
{
	several_at_once
	for way in $WAYS
	do
		busy_unmount "$way"
		under_load "$way"
		case $way in
		process|uvm_io)	by_signal "$way";;
		esac
	done
}

# Rounds fill the kernel's caches and the shell's memory until nothing more is needed.
holds /tmp/before
holds /tmp/after
round=0
left=all
while [ -n "$left" ]
do
	round=$((round + 1))
	[ $round -le $ROUNDS ] || fail "round $((round - 1)) has left behind: $left"
	holds /tmp/before
	one_round >/tmp/round
	[ $round -gt 1 ] || cat /tmp/round
	holds /tmp/after
	left=$(differences)
done
echo "mfs-life: rounds: nothing left behind"

for way in $WAYS
do
	cycles "$way" 3
	holds /tmp/before
	cycles "$way" "$CYCLES"
	holds /tmp/after
	left=$(differences)
	[ -z "$left" ] || fail "$way: mounted and unmounted $CYCLES times, it has left behind: $left"
	echo "mfs-life: $way: $CYCLES times, nothing left behind"
done
