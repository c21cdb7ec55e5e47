/* hello - say hello with a version of choice and tell what comes back, for tests.
 *     hello SOCKET MAJOR MINOR      prints `hello MAJOR.MINOR USER ROLE`, or `error CLASS CODE TEXT` */
#include <czmq.h>
#include <stdio.h>

#include "ipc/nameserve.pb-c.h"

int
main(int argc, char **argv)
{
	uint8_t buf[512];

	if (argc != 4) {
		fprintf(stderr, "usage: hello SOCKET MAJOR MINOR\n");
		return 2;
	}
	char *endpoint = zsys_sprintf("ipc://%s", argv[1]);
	zsock_t *sock = zsock_new_dealer(endpoint);
	Ns__Hello hello = NS__HELLO__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	char software[] = "hello test";

	if (sock == NULL)
		return 1;
	zsock_set_rcvtimeo(sock, 5000);
	zsock_set_linger(sock, 0);
	hello.major = (uint32_t)atoi(argv[2]);
	hello.minor = (uint32_t)atoi(argv[3]);
	hello.software = software;
	env.id = 1;
	env.body_case = NS__ENVELOPE__BODY_HELLO;
	env.hello = &hello;
	zframe_t *frame = zframe_new(buf, ns__envelope__pack(&env, buf));
	zframe_send(&frame, sock, 0);
	frame = zframe_recv(sock);
	if (frame == NULL) {
		printf("silence\n");
		return 1;
	}
	Ns__Envelope *reply = ns__envelope__unpack(NULL, zframe_size(frame), zframe_data(frame));
	if (reply == NULL)
		printf("unreadable\n");
	else if (reply->body_case == NS__ENVELOPE__BODY_HELLO_REPLY)
		printf("hello %u.%u %s %s\n", reply->hello_reply->major, reply->hello_reply->minor,
		    reply->hello_reply->user, reply->hello_reply->user_role);
	else if (reply->body_case == NS__ENVELOPE__BODY_ERROR)
		printf("error %u %u %s\n", reply->error->err_class, reply->error->code,
		    reply->error->text);
	zframe_destroy(&frame);
	zsock_destroy(&sock);
	zstr_free(&endpoint);
	return 0;
}
