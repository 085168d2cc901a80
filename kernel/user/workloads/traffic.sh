# traffic: ordinary writes on a memory file system, with sync(8) in between.
#
# What /tmp sees in its first minutes: folders, many small files (most of them
# empty: locks, markers), some of several blocks, renames and removals; a sync;
# then lines appended here and there, and another sync. The mount is asynchronous,
# so everything stays in the buffer cache until sync pushes it out in one go. In
# the second sync all that is dirty among the inodes became so by the sync itself,
# which goes through the vnodes newest first; so the inode blocks leave the cache,
# newest first again, in ascending order.
#
# WAY, SIZE (sectors), BSIZE, FSIZE: the memory file system.

FILES=72

fail()
{
	echo "traffic: $*"
	exit 1
}

# Length of file $1 at first: mostly nothing, some of a few KB, now and then several
# blocks. Sets length.
first_length()
{
	length=0
	[ $(($1 % 5)) -eq 1 ] || return 0
	if [ $(($1 % 4)) -eq 3 ]
	then length=$((17000 + $1 * 128))
	else length=$((300 + $1 * 1237 % 7000))
	fi
}

is_appended()
{
	[ $(($1 % 17)) -eq 1 ]
}

is_removed()
{
	[ $(($1 % 5)) -eq 4 ] && [ $1 -lt $((FILES - 1)) ]
}

# $2 bytes for file $1, of which no two files have the same. Without a pipe: the
# processes come and go in the same order each time.
contents()
{
	head -c $(($1 * 37 + $2)) /bin/sh >/tmp/head
	tail -c $2 /tmp/head
}

write_files()
{
	mkdir /mnt/d0 /mnt/d1 /mnt/d2 /mnt/d3 || fail "cannot make folders"
	n=0
	while [ $n -lt $FILES ]
	do
		file=/mnt/d$((n % 4))/file$n
		first_length $n
		if [ $length -eq 0 ]
		then : >$file
		else contents $n $length >$file
		fi || fail "cannot write $file"
		bytes=$((bytes + length))
		n=$((n + 1))
	done
}

# Removes every fifth file and renames the one after it there and back.
shuffle_files()
{
	n=4
	while [ $n -lt $((FILES - 1)) ]
	do
		gone=/mnt/d$((n % 4))/file$n
		next=/mnt/d$(((n + 1) % 4))/file$((n + 1))
		rm $gone && mv $next $gone && mv $gone $next || fail "cannot change $next"
		n=$((n + 5))
	done
}

append_lines()
{
	n=0
	while [ $n -lt $FILES ]
	do
		if is_appended $n && ! is_removed $n
		then
			contents $((n + 1)) 700 >>/mnt/d$((n % 4))/file$n || fail "cannot append"
			bytes=$((bytes + 700))
		fi
		n=$((n + 1))
	done
}

# Writes what file $1 must hold to /tmp/expected.
expect()
{
	first_length $1
	contents $1 $length >/tmp/expected
	! is_appended $1 || contents $(($1 + 1)) 700 >>/tmp/expected
}

is_right()
{
	if is_removed $1
	then [ ! -e $2 ]
	elif first_length $1 && [ $length -eq 0 ] && ! is_appended $1
	then [ -f $2 ] && [ ! -s $2 ]
	else expect $1 && cmp /tmp/expected $2
	fi
}

check_files()
{
	n=0
	while [ $n -lt $FILES ]
	do
		is_right $n /mnt/d$((n % 4))/file$n || fail "file$n is wrong"
		n=$((n + 1))
	done
	echo "traffic: every byte is right"
}

bytes=0
mount_mfs -s $SIZE -b $BSIZE -f $FSIZE -o $WAY swap /mnt || fail "cannot mount"
write_files
shuffle_files
sync
append_lines
echo "traffic: $FILES files, $bytes bytes written"
sync
check_files
umount /mnt || fail "cannot unmount"
echo "summary: files $FILES"
echo "summary: bytes $bytes"
echo "summary: mounts 1"
