/* SPDX-License-Identifier: BSD-2-Clause */
/* ^C and SIGTERM end the program with a word and the exit code 130. */
#ifndef SPILLWAY_CTL_INTERRUPT_H
#define SPILLWAY_CTL_INTERRUPT_H

#define EXIT_INTERRUPTED 130

/* Until a verb that waits takes the signals over. Signals that are ignored stay so (nohup). */
void interrupt_begin(void);

#endif
