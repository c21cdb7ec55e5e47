/* sockdir - a directory of its own for a test program, with the path of a Unix socket in it: group setup and teardown
 * of tests that listen there.  ZeroMQ is up between the two. */
#ifndef NS_TESTS_LIB_SOCKDIR_H
#define NS_TESTS_LIB_SOCKDIR_H

extern char sockdir[], sockdir_path[64];

int sockdir_setup(void **state);
int sockdir_teardown(void **state);

#endif
