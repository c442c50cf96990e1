-- A git worktree that was made for a worker. A row is there before the folder is, and stays when the folder has gone.
create table if not exists worktrees (
  id text primary key,
  worker text not null,
  task_id text,
  -- making: nothing of it may be relied on; made; removing: all that was in it is kept under kept_ref; removed.
  state text not null check (state in ('making', 'made', 'removing', 'removed')),
  -- Absolute, without links: the folder, its own git folder as its .git names it, and the one that the whole repository shares.
  path text not null,
  gitdir text,
  common text not null,
  -- Full name of the branch, and whether it was made together with the worktree.
  branch text not null,
  branch_made integer not null check (branch_made in (0, 1)),
  -- As it was asked for; the branch that it meant, if it was one; the commit that it was.
  base_ref text not null,
  base_branch text,
  base_commit text not null,
  setup text,
  made_at text not null,
  removed_at text,
  kept_ref text,
  -- Who is making or removing it.
  world text,
  pid integer,
  born text
) strict;
create unique index if not exists worktrees_there_worker on worktrees (worker) where state <> 'removed';
create unique index if not exists worktrees_there_path on worktrees (path) where state <> 'removed';
create index if not exists worktrees_task on worktrees (task_id) where task_id is not null;
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
