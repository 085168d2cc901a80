# shortage: what happens to programs when memory runs out, case by case (docs/shortage.md). After each case
# all memory must be back and the kernel's structures whole.
#
# CASES: the cases to run. FILE: where the file of the cases is made.

# What programs hold of the kernel.
in_use()
{
	sysctl debug.inuse | grep -E 'wired_pages|anons|open_files|processes'
}

failed=0
before=$(in_use)
for case in $CASES
do
	if shortage $case $FILE && [ $(sysctl -n debug.check) -eq 0 ] && [ "$(in_use)" = "$before" ]
	then
		echo "shortage: $case: ok"
	else
		echo "shortage: $case: FAILED"
		failed=1
		before=$(in_use)
	fi
done
exit $failed
