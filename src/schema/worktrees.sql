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
