-- The landing of a worker's branch in another one. A row is there before anything outside of its own folder is touched.
create table if not exists landings (
  id text primary key,
  task_id text not null,
  worktree_id text not null,
  -- proving: only its folder and its keep are touched; moving: branch and checkout are on their way; landed; undone: neither has moved;
  -- unknown: somebody else has moved them since, and nobody can tell.
  state text not null check (state in ('proving', 'moving', 'landed', 'undone', 'unknown')),
  -- The git folder that all worktrees of the repository share, and the full names of the two branches.
  common text not null,
  branch text not null,
  into_ref text not null,
  -- Where it is merged and proven; goes with the landing.
  folder text not null,
  before_commit text,
  after_commit text,
  -- Where into_ref is checked out, and the git folder of that; null: nowhere.
  checkout text,
  checkout_gitdir text,
  squash integer not null check (squash in (0, 1)),
  -- [{criterion_id, evidence_id}] of the proofs that held, settled with the landing.
  proofs_json text not null check (json_valid(proofs_json)),
  began_at text not null,
  ended_at text,
  why text,
  -- Who is at it.
  world text,
  pid integer,
  born text
) strict;
create index if not exists landings_open on landings (began_at) where state in ('proving', 'moving');
create index if not exists landings_task on landings (task_id);
