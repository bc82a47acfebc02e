#!/usr/bin/env bash
# A Slurm cluster of two nodes on this machine, for `just test-slurm`: munged, slurmctld and a slurmd for each node, as
# plain processes with their files in the folder $cluster. To be sourced.
#
# Debian's slurmd is not built for several nodes on one host (--enable-multiple-slurmd): it refuses two nodes with the
# same host name. Each node has a host name of its own here, the address of this machine, and a port; `slurmd -N` names
# the node. They have 8 CPUs each in name. A job that is queued again waits until its credential has expired, two minutes
# by default, ten seconds here. No accounting database is set up, so `sacct` has nothing to say; `squeue` and `scontrol` do.

started=() # the processes of the cluster

# install_slurm: slurmctld, slurmd and munged, with apt where they are missing and this is root.
install_slurm() {
    local program missing=()
    for program in slurmctld slurmd sbatch munged; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    (( ${#missing[@]} == 0 )) && return
    if (( EUID != 0 )) || ! command -v apt-get >/dev/null; then
        echo "missing: ${missing[*]}; on Debian: apt-get install slurm-wlm munge" >&2
        return 2
    fi
    apt-get install --yes --no-install-recommends slurm-wlm munge
}

# A port of this machine that nobody listens at.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

configure() {
    local user
    user=$(id -un)
    mkdir -p "$cluster"/{munge,state,spool-n1,spool-n2}
    chmod 755 "$cluster"
    chmod 700 "$cluster/munge"
    cat >"$cluster/slurm.conf" <<END
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$cluster/munge/munge.socket,cred_expire=10
CryptoType=crypto/munge
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool-%n
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmdPidFile=$cluster/slurmd-%n.pid
SlurmctldLogFile=$cluster/slurmctld.log
SlurmdLogFile=$cluster/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU,CR_LLN
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MaxArraySize=17
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=15
KillWait=5
OverTimeLimit=0
NodeName=n1 NodeHostname=n1 NodeAddr=127.0.0.1 Port=$(free_port) CPUs=8 State=UNKNOWN
NodeName=n2 NodeHostname=n2 NodeAddr=127.0.0.1 Port=$(free_port) CPUs=8 State=UNKNOWN
PartitionName=low Nodes=n1,n2 Default=YES MaxTime=INFINITE PriorityTier=1 PreemptMode=REQUEUE OverSubscribe=NO
PartitionName=high Nodes=n1,n2 MaxTime=INFINITE PriorityTier=2 PreemptMode=OFF OverSubscribe=NO
END
    dd if=/dev/urandom of="$cluster/munge/munge.key" bs=128 count=1 status=none
    chmod 400 "$cluster/munge/munge.key"
}

start() { # NAME COMMAND…
    local name=$1
    shift
    "$@" >"$cluster/$name.out" 2>&1 &
    started+=($!)
}

start_cluster() {
    configure
    export SLURM_CONF=$cluster/slurm.conf
    start munged munged --foreground --force --key-file "$cluster/munge/munge.key" \
        --socket "$cluster/munge/munge.socket" --pid-file "$cluster/munge/munge.pid" \
        --seed-file "$cluster/munge/munge.seed" --log-file "$cluster/munge/munge.log"
    until [[ -S $cluster/munge/munge.socket ]]; do sleep 0.1; done
    start slurmctld slurmctld -D
    start n1 slurmd -D -N n1
    start n2 slurmd -D -N n2
    local deadline=$((SECONDS + 60))
    until [[ $(sinfo --noheader --Node --states=idle --format=%N 2>/dev/null | sort -u | wc -l) == 2 ]]; do
        if (( SECONDS > deadline )); then
            echo "the nodes are not idle after a minute:" >&2
            sinfo >&2 || true
            tail -n 20 "$cluster"/*.log "$cluster"/*.out >&2
            return 1
        fi
        sleep 0.5
    done
}

stop_cluster() {
    scancel --user "$(id -un)" 2>/dev/null || true
    for (( at = ${#started[@]} - 1; at >= 0; at-- )); do
        kill "${started[at]}" 2>/dev/null || true
        wait "${started[at]}" 2>/dev/null || true
    done
}
