/* signersay.c - what the signer tells sync: who it is, what it has and has published, what it misses. */
#include <stdio.h>
#include <string.h>

#include "appliance/signer/signer_internal.h"
#include "appliance/signer/signstate.h"
#include "appliance/zonemap/aliassig.h"
#include "ipc/envelope.h"

#define RETRY_FIRST_MS 1000u /* after the map was full */

void
say(struct signer *s, uint64_t id, Ns__Envelope *env)
{
	env->id = id;
	/* Sync is gone: it hears a new hello when it is back. */
	if (ns_send(s->bus, NULL, env) != NS_OK && log_allowed(&s->log_limit, 1))
		log_warn("signer.send", "text=\"the bus takes nothing\"");
}

void
say_hello(struct signer *s)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__RoleHello hello = NS__ROLE_HELLO__INIT;

	hello.major = NS_PROTO_MAJOR;
	hello.minor = NS_PROTO_MINOR;
	hello.role = (char *)(uintptr_t)role_name(ROLE_SIGNER);
	hello.generation = s->role->start->generation;
	hello.map_revision = s->ask_all ? 0 : writer_revision(s->w);
	hello.map_loaded = !s->ask_all && writer_loaded(s->w);
	if (s->vault != NULL)
		hello.public_key = (ProtobufCBinaryData){ VAULT_KEY,
			(uint8_t *)(uintptr_t)vault_public(s->vault) };
	else
		hello.no_key = s->no_vault.text;
	env.body_case = NS__ENVELOPE__BODY_ROLE_HELLO;
	env.role_hello = &hello;
	say(s, 0, &env);
}

void
say_ack(struct signer *s, uint64_t seq)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FeedAck ack = NS__FEED_ACK__INIT;

	ack.seq = seq;
	env.body_case = NS__ENVELOPE__BODY_FEED_ACK;
	env.feed_ack = &ack;
	say(s, 0, &env);
}

void
say_resync(void *arg, const uint8_t *name, const char *why)
{
	struct signer *s = arg;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__ResyncZone resync = NS__RESYNC_ZONE__INIT;
	char text[NAME_MAX_TEXT];

	resync.name =
	    (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)name, .len = name_len(name) };
	resync.why = (char *)(uintptr_t)why;
	env.body_case = NS__ENVELOPE__BODY_RESYNC_ZONE;
	env.resync_zone = &resync;
	say(s, 0, &env);
	if (log_allowed(&s->log_limit, 5))
		log_warn("signer.resync", "zone=%s why=%s", log_quote(name_to_text(name, text)),
		    log_quote(why));
}

void
say_resync_all(void *arg)
{
	struct signer *s = arg;

	log_warn("signer.resync", "text=\"too much is missing: asking for all zones\"");
	s->ask_all = true;
	s->welcome = s->current = false;
	feed_reset(s->feed);
	say_hello(s);
}

void
say_published(void *arg, bool full, const char *text)
{
	struct signer *s = arg;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Published p = NS__PUBLISHED__INIT;
	uint64_t pairs[RANGES_MAX * 2];
	struct ranges late;

	feed_late(s->feed, &late);
	p.n_late = ranges_put(&late, pairs);
	p.late = pairs;
	p.revision = feed_published(s->feed);
	p.epoch = writer_epoch(s->w);
	p.map_bytes = writer_bytes(s->w);
	p.map_full = full;
	p.text = (char *)(uintptr_t)text;
	/* Nothing else is a success: one who asked for all zones lacks none until they are here. */
	if (!full && !feed_is_behind(s->feed))
		s->retry_ms = RETRY_FIRST_MS;
	env.body_case = NS__ENVELOPE__BODY_PUBLISHED;
	env.published = &p;
	say(s, 0, &env);
	if (full != s->told_full) {
		if (full)
			log_error("signer.map_full", "bytes=%llu text=%s",
			    (unsigned long long)p.map_bytes, log_quote(text));
		else
			log_info("signer.map_full", "bytes=%llu text=\"it fits again\"",
			    (unsigned long long)p.map_bytes);
		s->told_full = full;
	}
	want_reclaim(s);
}

void
say_refused(void *arg, const uint8_t *name, const struct ns_why *why)
{
	struct signer *s = arg;
	char text[NAME_MAX_TEXT], problem[NAME_MAX_TEXT + 600];

	name_to_text(name, text);
	log_error("signer.refused", "zone=%s text=%s", log_quote(text), log_quote(why->text));
	(void)snprintf(problem, sizeof problem,
	    "zone %s cannot be compiled, its last good version is served: %s", text, why->text);
	troubles_set(s->troubles, TROUBLE_REFUSED, name, problem);
	say_troubles(s);
}

/* Many one after the other; told with the next say_troubles(). */
void
say_locked(void *arg, const uint8_t *name, const struct ns_why *why)
{
	struct signer *s = arg;
	char text[NAME_MAX_TEXT], problem[NAME_MAX_TEXT + 600];

	name_to_text(name, text);
	if (log_allowed(&s->log_limit, 5))
		log_error(
		    "signer.locked", "zone=%s text=%s", log_quote(text), log_quote(why->text));
	(void)snprintf(problem, sizeof problem,
	    "zone %s cannot be signed any more, what is served ends with its signatures: %s", text,
	    why->text);
	troubles_set(s->troubles, TROUBLE_LOCKED, name, problem);
}

void
say_opened(void *arg, const uint8_t *name)
{
	struct signer *s = arg;

	(void)troubles_end(s->troubles, TROUBLE_LOCKED, name);
}

void
say_fit(void *arg, const uint8_t *name)
{
	struct signer *s = arg;

	if (troubles_end(s->troubles, TROUBLE_REFUSED, name))
		say_troubles(s);
}

/* A zone whose ALIASes are looked up again says it anew; told is what is left after that. */
void
say_alias(void *arg, const uint8_t *apex, const uint8_t *owner)
{
	struct signer *s = arg;
	char zone[NAME_MAX_TEXT], text[NAME_MAX_TEXT], problem[2 * NAME_MAX_TEXT + 200];

	if (owner == NULL) {
		(void)troubles_end(s->troubles, TROUBLE_ALIAS, apex);
		return;
	}
	(void)snprintf(problem, sizeof problem,
	    "zone %s: the ALIAS at %s may answer more than %u different sets of addresses: "
	    "the others are not signed",
	    name_to_text(apex, zone), name_to_text(owner, text), ALIASSIG_SETS);
	log_warn("signer.alias", "text=%s", log_quote(problem));
	troubles_set(s->troubles, TROUBLE_ALIAS, apex, problem);
}

void
say_troubles(struct signer *s)
{
	char text[TROUBLES_TEXT];

	troubles_text(s->troubles, text);
	if (strcmp(text, s->troubled) == 0)
		return;
	memcpy(s->troubled, text, sizeof text);
	role_problem(s->role, text);
}

void
say_digest(void *arg, uint64_t id, const Ns__DigestReply *reply)
{
	struct signer *s = arg;
	Ns__Envelope env = NS__ENVELOPE__INIT;

	env.body_case = NS__ENVELOPE__BODY_DIGEST_REPLY;
	env.digest_reply = (Ns__DigestReply *)(uintptr_t)reply;
	say(s, id, &env);
}

void
say_error(struct signer *s, uint64_t id, const struct ns_why *why)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	struct ns_why text = *why;
	Ns__Error error;

	ns_error_from_why(&error, &text);
	env.body_case = NS__ENVELOPE__BODY_ERROR;
	env.error = &error;
	say(s, id, &env);
}

void
say_state(struct signer *s)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	struct refresh_state state;
	struct signstate out;
	uint64_t loaded;

	refresh_state(s->refresh, &state);
	signstate_fill(&out, &state, s->feed, signer_now(s));
	if (feed_is_loading(s->feed, &loaded)) {
		out.msg.loading = loaded;
		out.msg.loading_of = keystore_count(s->keys);
	}
	env.body_case = NS__ENVELOPE__BODY_SIGNER_STATE;
	env.signer_state = &out.msg;
	if (s->welcome)
		say(s, 0, &env);
}
