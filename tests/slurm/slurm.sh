#!/usr/bin/env bash
# A whole Slurm on one machine: munged, slurmctld, slurmd; no systemd, no cgroups, no accounting database.
#   slurm.sh up|down|stop-controller|start-controller FOLDER     as root, with Debian's slurm-wlm and munge
set -euo pipefail
action=$1
folder=$2
unset SLURM_CONF # the job step plugin of Snakemake drops it: slurm.conf has to be where Slurm looks by itself

write_configuration() {
  local node memory
  node=$(hostname -s)
  memory=$(($(awk '/MemTotal/{print $2}' /proc/meminfo) / 1024 - 512))
  mkdir -p "$folder"/{controller,node,log,run}
  : >"$folder/completed.txt"
  cat >"$folder/slurm.conf" <<CONF
ClusterName=onebox
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
StateSaveLocation=$folder/controller
SlurmdSpoolDir=$folder/node
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
MpiDefault=none
SwitchType=switch/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherParams=OverMemoryKill
JobAcctGatherFrequency=task=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,bf_interval=5
ReturnToService=2
MinJobAge=600
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$folder/completed.txt
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=$node Default=YES MaxTime=24:00:00 DefMemPerCPU=512 State=UP OverSubscribe=NO
CONF
  printf 'CgroupAutomount=no\nConstrainCores=no\nConstrainRAMSpace=no\nIgnoreSystemd=yes\n' >"$folder/cgroup.conf"
  mkdir -p /etc/slurm
  for file in slurm.conf cgroup.conf; do
    if [ -e "/etc/slurm/$file" ] && [ ! -L "/etc/slurm/$file" ]; then
      echo "/etc/slurm/$file exists: this machine has a Slurm of its own" >&2
      exit 1
    fi
    ln -sfn "$folder/$file" "/etc/slurm/$file"
  done
}

start_munge() {
  munge -n >/dev/null 2>&1 && return
  install -d -o munge -g munge -m 755 /run/munge
  runuser -u munge -- /usr/sbin/munged
  cp /run/munge/munged.pid "$folder/run/munged.pid"
}

wait_for_node() {
  for _ in $(seq 120); do
    case $(sinfo -h -o %T 2>/dev/null) in idle | mixed | allocated) return ;; esac
    sleep 0.5
  done
  tail -20 "$folder"/log/*.log >&2
  exit 1
}

stop() { # a daemon that this script started
  local pid
  pid=$(cat "$folder/run/$1.pid" 2>/dev/null) || return 0
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] || return 0
  kill "$pid"
  for _ in $(seq 80); do
    [ -e "/proc/$pid" ] && [ "$(awk '/^State/{print $2}' "/proc/$pid/status" 2>/dev/null)" != Z ] || return 0
    sleep 0.25
  done
}

case $action in
up)
  write_configuration
  start_munge
  slurmctld
  slurmd
  wait_for_node
  ;;
stop-controller) stop slurmctld ;;
start-controller)
  slurmctld
  wait_for_node
  ;;
down)
  squeue -h -o %A 2>/dev/null | xargs -r scancel 2>/dev/null || true
  for daemon in slurmd slurmctld munged; do stop "$daemon"; done
  for file in slurm.conf cgroup.conf; do
    [ "$(readlink "/etc/slurm/$file")" != "$folder/$file" ] || rm -f "/etc/slurm/$file"
  done
  ;;
esac
