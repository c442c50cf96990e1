-- Where the own server of a session that we started listens, or why it has none.
create table if not exists session_sockets (
  session_id text primary key,
  socket text,
  why text
) strict;

-- What was said by an agent's protocol, until its record shows it: it may have to be said again. `lost`: its turn was interrupted.
create table if not exists texts_under_way (
  delivery_id text primary key references deliveries (id),
  text text not null,
  lost integer not null default 0 check (lost in (0, 1))
) strict;
create index if not exists texts_under_way_lost on texts_under_way (lost) where lost = 1;
create trigger if not exists texts_under_way_end after update of state on deliveries
  when new.state in ('delivered', 'pull_required', 'failed')
begin
  delete from texts_under_way where delivery_id = new.id;
end;

-- What sessions asked by their agent's protocol. The server counts its requests anew when it is started again.
create table if not exists agent_asks (
  id text primary key,
  session_id text not null,
  request_id text not null,
  thread_id text not null,
  turn_id text,
  item_id text,
  kind text not null,
  question text not null,
  command text,
  cwd text,
  reason text,
  choices_json text not null check (json_valid(choices_json)),
  takes_text integer not null check (takes_text in (0, 1)),
  asked_at text not null,
  answer text,
  answer_reason text,
  asker_session_id text,
  sent_at text,
  sender_pid integer,
  ended_at text,
  answered_by text check (answered_by in ('us', 'person', 'other'))
) strict;
create unique index if not exists agent_asks_open on agent_asks (session_id, request_id) where ended_at is null;
create index if not exists agent_asks_session on agent_asks (session_id, asked_at);
