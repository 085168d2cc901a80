# storm: many processes make, rename, link and remove files and folders in the same
# places at once.
#
# PROCS: processes; OPS: operations of each; SEED. The file system: /etc/workload.subr.

. /etc/workload.subr
begin_work
storm -p "$PROCS" -n "$OPS" -s "$SEED" $DIR || exit 1
end_work
