/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of this folder share; nobody outside it needs it. */
#ifndef SPILLWAY_HANDOFF_STATE_H
#define SPILLWAY_HANDOFF_STATE_H

#include <sys/types.h>

#include "base/arena.h"
#include "handoff/admin.h"
#include "handoff/handoff.h"
#include "handoff/l7_render.h"
#include "handoff/plan.h"
#include "handoff/sockets.h"

#define SLOT_NONE   SIZE_MAX
#define SLOTS_LEAST 64	 /* at the start; doubled when they do not suffice */
#define LEAVE_MS    5000 /* handshakes under way still find the endpoint that goes */
#define FIRST_FD    3

/* A server of HAProxy's. */
struct server {
	struct arena *arena; /* owned; holds the texts */
	uint64_t number;     /* its name is "s<number>"; 0: none */
	uint64_t identity;
	const char *pool, *address, *params;
};

/* An endpoint that connections are handed off to. */
struct entry {
	uint32_t id;
	size_t slot;
	struct server want; /* what it is to be */
	struct server have; /* what HAProxy's map leads to; number 0: nothing yet */
	bool is_frontend;   /* of layer 7: a section of its own listens on its slot */
	bool pushing;	    /* `want` is on its way over the admin socket */
	bool has_want;	    /* false: it leaves at leave_ms */
	uint64_t leave_ms;
	int path_error; /* of a socket's path: an errno that HAProxy's user would meet, or 0 */
	char *problem;	/* owned; why HAProxy refuses `want`, which is left out then */
	struct handoff_counters counters;
	uint64_t answered, failed; /* of the present server, as last read: those that judge it */
	uint64_t in, out, lost;
};

/* A server that nobody is led to any more, until its last connection ends. */
struct retired {
	uint64_t number;
	char *pool; /* owned */
	bool asked; /* to be removed, and not answered yet */
};

/* A server of a cluster in a process. */
struct l7_known {
	uint64_t key;
	const char *place; /* "SECTION/SERVER" */
	bool is_ready, is_wanted;
};

enum process_state {
	PROCESS_CHECKING, /* haproxy -c */
	PROCESS_STARTING, /* until its admin socket answers */
	PROCESS_RUNNING,
};

struct config_line {
	size_t line;
	uint32_t id; /* whose server it is */
	size_t slot;
	uint64_t number;	   /* which one */
	struct plan_server server; /* its texts */
};

/* One HAProxy, or its check; lives until its handles are closed. */
struct process {
	struct handoff *handoff; /* NULL: nobody cares any more */
	enum process_state state;
	uv_process_t child[2]; /* the check, and HAProxy itself */
	uv_pipe_t output[2];
	uv_timer_t timer;
	int open_handles;
	uint64_t number;
	uint64_t numbered; /* servers below this number are in its configuration */
	size_t slot_count;
	struct admin *admin;
	struct arena *arena; /* owned; holds what follows */
	const char *config;
	const char **pools; /* names of its sections */
	size_t pool_count;
	const char **files; /* paths of the PEM texts that it knows */
	size_t file_count;
	uint64_t l7_hash;	   /* of its sections of layer 7 */
	uint64_t l7_servers;	   /* l7_servers_hash() of those that it has, or is told of */
	struct l7_known *l7_known; /* all that it ever had */
	size_t l7_known_count;
	uint64_t *l7_keys; /* of their lines */
	size_t l7_key_count, l7_first_line;
	struct config_line *lines; /* of the servers in its configuration */
	size_t line_count;
	uint64_t started_ms;
	bool has_ended, has_said_all; /* of the check, then of HAProxy itself */
	int64_t status;
	int signal_number;
	char said[4096]; /* the end of its output */
	size_t said_len;
};

struct handoff {
	uv_loop_t *loop;
	struct handoff_hooks hooks;
	char *dir, *haproxy; /* owned */
	uint16_t resolver_port;
	bool local_clients;
	bool lacks_sockets; /* for some endpoint of the latest plan */
	size_t left_out;    /* of the latest plan */
	uid_t uid;
	gid_t gid;
	struct socket_pair *sockets; /* by slot */
	uint32_t *slot_ids;	     /* by slot: the endpoint that has it, or SPW_ENDPOINT_NONE */
	size_t slot_count;
	struct entry **entries; /* by endpoint number */
	bool *trusted;		/* likewise */
	uint32_t *live;		/* numbers of the entries there are */
	size_t live_count;
	struct arena *plan_arena; /* owned; holds pools and files of the latest plan */
	struct plan_pool *pools;
	size_t pool_count;
	struct plan_file *files;
	size_t file_count;
	struct arena *l7_arena; /* owned; holds `l7` */
	struct l7_plan l7;
	uint64_t l7_hash;	      /* but for its servers; 1: there is no layer 7 */
	uint64_t l7_servers;	      /* l7_servers_hash() */
	size_t l7_path_errors;	      /* servers whose socket cannot be used */
	struct l7_refused l7_refused; /* owned */
	char *l7_problem;	      /* owned */
	struct retired *retired;
	size_t retired_count;
	uint64_t next_number;  /* of a server; from 1 */
	uint64_t next_process; /* likewise */
	struct process *now;   /* the one that runs, or NULL */
	struct process *next;  /* the one that is to take over, or NULL */
	bool is_synced;	       /* at least once */
	bool is_counting;      /* a question is under way */
	unsigned int silent;   /* questions in a row that were not answered */
	char *plan_problem;    /* owned; of the latest plan */
	bool reload_wanted;    /* once `next` is settled */
	unsigned int failures; /* in a row */
	uint64_t down_ms;      /* since when there is no process; 0: there is one, or none needed */
	bool down_told;
	uint64_t retry_ms;     /* when the next start is due; 0: none is */
	uint64_t old_stop_ms;  /* when processes of an earlier daemon are to finish; 0: none are */
	char *problem;	       /* owned */
	uv_timer_t timer;      /* what is due */
	uv_timer_t poll_timer; /* counters */
	int handles;
	bool closing;
};

/* configuration.c: writes it for the process, and notes in it what it will know. */
int configuration_write(struct process *p);

/* process.c: a new process with what the entries want; takes over when it is ready. */
void process_begin(struct handoff *h);
void process_kill(struct process *p);	/* it hangs */
void process_forget(struct process *p); /* it goes on, unwatched */
void process_stop_old(struct handoff *h, const struct process *but);
void process_stop_all(const char *dir); /* asked to finish what they have */
void process_end_all(const char *dir);	/* at once */

/* push.c: everything that the running process can be told. */
void push_all(struct handoff *h);
void push_tell_files(struct handoff *h, const char *params); /* those that are named in it */
bool push_needs_process(const struct handoff *h);
void push_retire(struct handoff *h, struct server *s);
void push_drop_retired(struct handoff *h);
void push_unmap(struct handoff *h, size_t slot); /* its slot leads nowhere */

/* l7_run.c */
void l7_keep(struct handoff *h, const struct l7_plan *p); /* copies */
void l7_hash(struct handoff *h);
void l7_input(struct handoff *h, struct l7_render_input *in);
void l7_tell_weights(struct handoff *h);
void l7_took_over(struct handoff *h);
bool l7_refuse(struct handoff *h, uint64_t key, const char *why); /* false: nothing is gained */
void l7_forgive(struct handoff *h);
void l7_count(struct handoff *h, const char *section, const struct l7_server *which,
	      const struct l7_counts *now);

/* l7_servers.c */
uint64_t l7_server_key(const char *section, const struct l7_server *s);
uint64_t l7_servers_hash(const struct l7_plan *p);
void l7_note_servers(struct handoff *h, struct process *p);
void l7_push_servers(struct handoff *h);

/* reach.c: may HAProxy's user connect to the sockets? True when that changed. */
bool reach_look(struct handoff *h);
/* What access(2) would tell that user: 0 or an errno. */
int reach_path(const struct handoff *h, const char *path, int mode);
/* The latter for an endpoint behind rules of layer 7, as last seen. */
int reach_behind_rules(const struct handoff *h, uint32_t id);
const char *reach_text(int err);

/* count.c */
void count_poll(struct handoff *h);

/* sync.c */
void handoff_settle(struct handoff *h); /* tells the running process, or begins a new one */

/* handoff.c */
void handoff_set_problem(struct handoff *h, const char *text);
void handoff_arm(struct handoff *h, uint64_t wait_ms);
void handoff_took_over(struct handoff *h, struct process *p);
void handoff_failed(struct handoff *h, struct process *p);

/* entries.c */
void server_done(struct server *s);
void server_set(struct server *to, const struct plan_server *from, uint64_t number);
void server_copy(struct server *to, const struct server *from);
void entry_want(struct handoff *h, const struct plan_server *s);
/* HAProxy has what it wants. */
void entry_have(struct handoff *h, struct entry *e);
/* HAProxy has this for it, whatever it wants. */
void entry_now_has(struct handoff *h, struct entry *e, const struct server *s);
/* What it had is at fault: it has nothing any more. */
void entry_lose(struct handoff *h, struct entry *e);
void entry_refuse(struct handoff *h, struct entry *e, const char *why);
void entry_free(struct handoff *h, size_t nth); /* by its place in `live` */
int slots_grow(struct handoff *h);

/* files.c: the directory, PEM texts and configurations in it. */
int files_prepare(struct handoff *h, const char *run_dir);
int files_write(const struct handoff *h, const char *path, const char *text);
int files_write_pems(const struct handoff *h);
/* Removes PEM texts that nobody needs any more, and what processes before `number` have left. */
void files_sweep(const struct handoff *h, uint64_t number);
/* Processes that were started, by number and start time, so that a later daemon finds them. */
void files_note_process(const struct handoff *h, pid_t pid);
void files_forget_ended(const struct handoff *h);
void files_remove(const char *dir); /* the directory and all that is in it */
typedef void files_process_fn(void *ctx, pid_t pid);
void files_each_process(const char *dir, files_process_fn *fn, void *ctx);

#endif
