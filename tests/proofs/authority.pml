/* Who may move the robot: authority as it is built (docs/safety.md, "The lease").
 *
 * The robot's agent issues epochs, stores each before it is used, and tells the gate over one
 * ordered socket. The gate obeys one member under one epoch: the one granted last. Agent, gate and
 * both servers die at any moment and come back with what was on disk; servers deliver what they
 * hold late, in any order, any number of times, or lose it with themselves; news of a grant takes
 * as long as it likes. Numbers by which
 * the gate knows members are given anew in each life of the agent.
 *
 *   spin -a authority.pml && cc -O2 -DSAFETY -o pan pan.c && ./pan -m200000
 *   -DLIARS     members also send epochs that are not theirs
 *   -DEPOCHS=n  how many grants (3)
 * One rule left out, an error that must be found:
 *   -DUNSTORED -DSTORED_LATE -DREUSED -DHIGHER -DOLDER -DANY_MEMBER -DKEPT -DNO_STANDSTILL
 */
#ifndef EPOCHS
#define EPOCHS 3
#endif
#define NOBODY 2
#define ROOM 3                       /* messages in the socket */

mtype = { GRANT, REVOKE, FRAME, HANG_UP };
chan socket = [ROOM] of { mtype, byte, byte, byte };   /* what, number, epoch, who it really is */

/* the robot's disk and its agent */
byte disk = 0;
bool agent_up = true;
byte epoch = 0;                      /* newest, in memory */
byte holder = NOBODY;
byte step = 0;                       /* of a grant: 0 none, 1 chosen, 2 stored, 3 the gate knows */
bool gate_seen = true;               /* the agent believes that there is a gate */
bool swapped = false;                /* which numbers the two members have in this life */
#define NUMBER(op) (swapped -> 1 - (op) : (op))

/* the gate */
byte g_number = NOBODY, g_epoch = 0, g_highest = 0;
bool moving = false;

/* the two servers: the frame that each holds, for as long as it likes */
byte held_of[2] = NOBODY, held_epoch[2] = 0;

/* the auditor, who sees everything */
byte owner[EPOCHS + 1];
byte at_gate = NOBODY, at_epoch = 0, applied = 0;

inline issue(op, ep) {
  assert(owner[ep] == NOBODY);       /* an epoch is never issued twice */
#ifndef STORED_LATE
  assert(disk >= ep);                /* nor used before it is on disk */
#endif
  owner[ep] = op
}

inline obey(op, ep) {
  assert(owner[ep] == op);                      /* one owner for each epoch */
  assert(at_gate == op && at_epoch == ep);      /* and it is the one granted last */
  assert(ep >= applied);                        /* nothing of a former holder after a grant */
  applied = ep; moving = true
}

proctype Agent() {
  byte to;
  do
  :: atomic { agent_up && step == 0 && gate_seen && epoch < EPOCHS && len(socket) < ROOM - 1 ->
       if :: to = 0 :: to = 1 fi;               /* asked, answered, handed over or forced */
#ifndef NO_STANDSTILL
       if :: holder != NOBODY -> socket!REVOKE, 0, 0, 0 :: else fi;
#endif
       holder = to; epoch++; step = 1; to = 0 }
#ifdef STORED_LATE
  :: atomic { agent_up && step == 1 -> step = 2 }
#else
  :: atomic { agent_up && step == 1 ->
       if
       :: step = 2;
#ifndef UNSTORED
          disk = epoch
#endif
       :: holder = NOBODY; step = 0             /* the disk is full */
       fi }
#endif
  :: atomic { agent_up && step == 2 && gate_seen && len(socket) < ROOM - 1 ->
       issue(holder, epoch);
       socket!GRANT, NUMBER(holder), epoch, holder; step = 3 }
  :: atomic { agent_up && step == 2 && !gate_seen -> holder = NOBODY; step = 0 }
  :: atomic { agent_up && step == 3 ->
#ifdef STORED_LATE
       disk = epoch;
#endif
       step = 0 }
  :: atomic { agent_up && step == 0 && holder != NOBODY && len(socket) < ROOM - 1 ->
       socket!REVOKE, 0, 0, 0; holder = NOBODY }      /* released, expired, idle, stopped */
  :: atomic { agent_up && !gate_seen && step == 0 -> gate_seen = true; holder = NOBODY }
  :: atomic { agent_up && nfull(socket) ->            /* kill -9: the socket says so, after the rest */
       agent_up = false; socket!HANG_UP, 0, 0, 0;
       holder = NOBODY; step = 0; epoch = 0 }
  :: atomic { !agent_up -> agent_up = true; gate_seen = true;
#ifdef REUSED
       if :: disk > 0 -> epoch = disk - 1 :: else -> epoch = 0 fi;
#else
       epoch = disk;
#endif
       if :: swapped = false :: swapped = true fi }
  od
}

proctype Gate() {
  mtype what; byte number, ep, who;
  do
  :: atomic { socket?what, number, ep, who ->
       if
       :: what == GRANT && ep > g_highest ->
#ifndef NO_STANDSTILL
            moving = false;
#endif
            assert(!moving);                          /* every hand-over goes through standstill */
            g_number = number; g_epoch = ep; g_highest = ep; at_gate = who; at_epoch = ep
       :: what == REVOKE ->
            g_number = NOBODY; g_epoch = 0; moving = false; at_gate = NOBODY; at_epoch = 0
       :: what == HANG_UP ->
#ifndef KEPT
            g_number = NOBODY; g_epoch = 0;
#endif
            moving = false; at_gate = NOBODY; at_epoch = 0
       :: what == FRAME ->
            if
#ifdef HIGHER
            :: ep > g_epoch -> obey(who, ep)
#endif
#ifdef OLDER
            :: ep < g_epoch -> obey(who, ep)
#endif
#ifdef ANY_MEMBER
            :: ep > 0 && ep == g_epoch -> obey(who, ep)
#else
            :: ep > 0 && ep == g_epoch && number == g_number -> obey(who, ep)
#endif
            :: else
            fi
       :: else
       fi;
       what = 0; number = 0; ep = 0; who = 0 }
  :: atomic { moving -> moving = false }              /* the watchdog */
  :: atomic { true ->                                 /* killed: the next one knows nothing */
       g_number = NOBODY; g_epoch = 0; g_highest = 0; moving = false; at_gate = NOBODY; at_epoch = 0;
       do :: len(socket) > 0 -> socket?what, number, ep, who :: else -> break od;
       what = 0; number = 0; ep = 0; who = 0;
       if :: agent_up -> gate_seen = false :: else fi }
  od
}

proctype Member(byte me) {
  byte s = 0, ep = 1;
  do
  :: atomic { true ->                                 /* drive under any grant one has ever heard of */
       if :: s = 0 :: s = 1 fi;
       do :: ep < EPOCHS -> ep++ :: break od;
       if
#ifdef LIARS
       :: true -> held_of[s] = me; held_epoch[s] = ep
#else
       :: owner[ep] == me -> held_of[s] = me; held_epoch[s] = ep
       :: else
#endif
       fi;
       s = 0; ep = 1 }
  od
}

proctype Server(byte me) {
  do
  :: atomic { agent_up && held_of[me] != NOBODY && len(socket) < ROOM - 1 ->      /* keeps it */
       socket!FRAME, NUMBER(held_of[me]), held_epoch[me], held_of[me] }
  :: atomic { held_of[me] != NOBODY -> held_of[me] = NOBODY; held_epoch[me] = 0 } /* dies */
  :: atomic { held_of[1 - me] != NOBODY ->                                        /* fail-over */
       held_of[me] = held_of[1 - me]; held_epoch[me] = held_epoch[1 - me] }
  od
}

init {
  atomic {
    byte i = 0;
    do :: i <= EPOCHS -> owner[i] = NOBODY; i++ :: else -> break od;
    i = 0;
    run Agent(); run Gate(); run Member(0); run Member(1); run Server(0); run Server(1)
  }
}
