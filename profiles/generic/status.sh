#!/usr/bin/env bash
# What became of a job: running (waiting included), success or failed. One of these schedulers is asked, the first
# whose command is there: Slurm, LSF, PBS, SGE.
set -uo pipefail
job=$1

if command -v squeue >/dev/null; then
  # jobs stay listed for a while after their end; one that is listed no more was seen to end by sacct
  state=$(squeue --noheader --states=all --format=%T --jobs="$job" 2>/dev/null) ||
    state=$(sacct --noheader --parsable2 --allocations --format=State --jobs="$job" 2>/dev/null)
  case $state in
  COMPLETED) echo success ;;
  PENDING | CONFIGURING | RUNNING | COMPLETING | SUSPENDED | STAGE_OUT | REQUEUED) echo running ;;
  "") echo running ;; # the controller does not answer
  *) echo failed ;;
  esac
elif command -v bjobs >/dev/null; then
  case $(bjobs -noheader -o stat "$job" 2>/dev/null) in
  DONE) echo success ;;
  EXIT | ZOMBI) echo failed ;;
  *) echo running ;;
  esac
elif qstat --version 2>&1 | grep -qi pbs; then
  record=$(qstat -x -f "$job" 2>/dev/null) # finished jobs, too, if the server keeps their history
  case $(sed -n 's/^ *job_state = //p' <<<"$record") in
  F | C) [ "$(sed -n 's/^ *[Ee]xit_status = //p' <<<"$record")" = 0 ] && echo success || echo failed ;;
  *) echo running ;;
  esac
elif qstat -j "$job" >/dev/null 2>&1; then
  qstat | awk -v job="$job" '$1 == job { print ($5 ~ /E/) ? "failed" : "running" }'
else # SGE forgets a job that has ended; its accounting may be some seconds late
  record=$(qacct -j "$job" 2>/dev/null) || { echo running; exit; }
  awk '$1 == "exit_status" || $1 == "failed" { bad += $2 != 0 } END { print bad ? "failed" : "success" }' <<<"$record"
fi
