-- A person is told of an item by a rule of theirs (~/.config/conveyor): claimed before it is done, so that it is done once, whoever looks.
create table if not exists notices (
  rule text not null,
  item text not null,
  -- 1 for the first; more where the rule repeats.
  nth integer not null,
  kind text not null,
  claimed_at text not null,
  -- Who is at it; null: the system does not tell.
  world text,
  pid integer,
  born text,
  -- null: it is being done, or whoever did it has died in it, and nobody knows.
  state text check (state in ('sent', 'failed')),
  ended_at text,
  error text,
  primary key (rule, item, nth)
) strict;
